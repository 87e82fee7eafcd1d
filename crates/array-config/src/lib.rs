//! Descriptions of arrays that can be written to a file, and opened.
