//! Containers behind URLs, on real servers of this machine.
