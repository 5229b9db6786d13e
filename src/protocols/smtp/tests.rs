//! Scripts of mail connections, and what is told of them.
