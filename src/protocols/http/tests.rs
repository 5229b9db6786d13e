//! Scripts of conversations in, what is said of them out.
