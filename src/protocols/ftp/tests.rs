//! Scripts of control connections, and what is told of them.
