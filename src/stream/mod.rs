//! placeholder

pub mod community_id;
pub mod zeek;
