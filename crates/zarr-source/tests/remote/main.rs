//! Containers behind URLs, on real servers of this machine.
//!
//! `VOXMASK_NGINX` and `VOXMASK_S3_SERVER` name the programs: nginx, and s3s-fs, which speaks S3 and holds
//! signatures against its keys. A test whose program is not named says so and ends, unless
//! `VOXMASK_REQUIRE_PEERS` is set.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

mod consolidated;
mod faults;
mod http;
mod https;
mod n5;
mod proxy;
mod replaced;
mod s3;
mod servers;
mod support;
