#!/bin/sh
# Ghostshark beside tshark on one large generated capture and on its first tenth: packets, bytes, CPU seconds,
# packets a CPU second, peak memory, and the ratios. See docs/performance.md.
#
#   benches/compare-tshark.sh [PACKETS]      5,200,000 unless told: more than 1 GiB
#   THREADS=N    threads of ghostshark (0: one a core)
#   TMPDIR=DIR   where the captures are made; it needs 1.5 GB
#
# Each file is read once before each run, so that the disk is not what is measured. A run of ghostshark counts only
# if its report holds every packet.
set -eu

packets=${1:-5200000}
threads=${THREADS:-0}
cd "$(dirname "$0")/.."

timer=/usr/bin/time
if ! "$timer" -v true 2>/dev/null; then
    echo "compare-tshark: needs GNU time as $timer (Debian: apt install time)" >&2
    exit 1
fi

cargo build --release --bin ghostshark --example large_capture
release=${CARGO_TARGET_DIR:-target}/release

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# run LABEL FILE COMMAND...: leaves "cpu-seconds wall peak-KiB" in $folder/LABEL.
run() {
    label=$1 file=$2
    shift 2
    cat "$file" >/dev/null
    if ! LC_ALL=C "$timer" -v -o "$folder/$label.time" "$@" >/dev/null 2>"$folder/$label.err"; then
        echo "compare-tshark: failed: $*" >&2
        cat "$folder/$label.err" >&2
        exit 1
    fi
    awk -F': ' '
        /User time/ || /System time/ { cpu += $2 }
        /Elapsed/ { n = split($NF, part, ":"); for (i = 1; i <= n; i++) wall = wall * 60 + part[i] }
        /Maximum resident/ { peak = $2 }
        END { print cpu, wall, peak }' "$folder/$label.time" >"$folder/$label"
}

# row NAME COUNT BYTES LABEL
row() {
    read -r cpu wall peak <"$folder/$4"
    awk -v name="$1" -v n="$2" -v b="$3" -v cpu="$cpu" -v wall="$wall" -v peak="$peak" 'BEGIN {
        printf "%-12s %10d %12.1f %9.2f %9.2f %14.0f %10.1f\n", \
            name, n, b / 1048576, cpu, wall, (cpu > 0 ? n / cpu : 0), peak / 1024 }'
}

# ratio FIELD LABEL LABEL: how many times the first is the second.
ratio() {
    paste -d ' ' "$folder/$2" "$folder/$3" |
        awk -v f="$1" '{ if ($(f + 3) > 0) printf "%.3f", $f / $(f + 3); else printf "?" }'
}

with_tshark=yes
if ! command -v tshark >/dev/null 2>&1; then
    with_tshark=no
    echo "compare-tshark: THERE IS NO tshark HERE: NOTHING IS COMPARED, only ghostshark is measured" >&2
fi

tenth=$((packets / 10))
for size in "whole $packets" "tenth $tenth"; do
    name=${size% *} count=${size#* }
    file=$folder/$name.pcap
    "$release/examples/large_capture" "$file" "$count" >&2
    report=$folder/$name.jsonl
    run "ghost-$name" "$file" "$release/ghostshark" report --format jsonl --threads "$threads" -o "$report" "$file"
    if ! tail -n 1 "$report" | grep -q "\"tcp_segments\":$count,"; then
        echo "compare-tshark: ghostshark's report does not hold the $count packets of its input" >&2
        exit 1
    fi
    if [ $with_tshark = yes ]; then
        run "tshark-$name" "$file" \
            tshark -q -n -z conv,tcp -o tcp.desegment_tcp_streams:FALSE -r "$file"
    fi
done

"$release/ghostshark" --version
[ $with_tshark = no ] || tshark --version 2>/dev/null | head -n 1
printf '%-12s %10s %12s %9s %9s %14s %10s\n' program packets MiB 'CPU s' 'wall s' 'packets/CPU s' 'peak MiB'
for size in "whole $packets" "tenth $tenth"; do
    name=${size% *} count=${size#* }
    bytes=$(wc -c <"$folder/$name.pcap")
    row ghostshark "$count" "$bytes" "ghost-$name"
    [ $with_tshark = no ] || row tshark "$count" "$bytes" "tshark-$name"
done
echo "peak memory, whole to tenth: ghostshark $(ratio 3 ghost-whole ghost-tenth)"
if [ $with_tshark = yes ]; then
    echo "peak memory, whole to tenth: tshark     $(ratio 3 tshark-whole tshark-tenth)"
    for name in whole tenth; do
        echo "ghostshark to tshark, $name: CPU $(ratio 1 "ghost-$name" "tshark-$name")," \
            "wall $(ratio 2 "ghost-$name" "tshark-$name"), peak memory $(ratio 3 "ghost-$name" "tshark-$name")"
    done
fi
