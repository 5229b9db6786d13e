//! placeholder

pub mod community_id;
pub mod datagrams;
pub mod wireshark;
pub mod zeek;
