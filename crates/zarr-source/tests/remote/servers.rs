//! Servers that run for the time of a test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The keys of the S3 server that asks for them.
pub(crate) const ACCESS_KEY: &str = "AKIDVOXMASKTEST";
pub(crate) const SECRET_KEY: &str = "secretVoxmaskKey0123456789";

/// The program that a variable names.
fn program(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).filter(|program| !program.is_empty());
    if found.is_none() {
        let required =
            std::env::var_os("VOXMASK_REQUIRE_PEERS").is_some_and(|value| !value.is_empty());
        assert!(!required, "{variable} is not set, and VOXMASK_REQUIRE_PEERS is");
        eprintln!("{variable} is not set: the server was not asked");
    }
    found.map(PathBuf::from)
}

/// A program that is ended when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Starts a program on a free port, and waits until it answers there.
fn start(command: impl Fn(u16) -> Command) -> (Running, u16) {
    for _ in 0..5 {
        let port = free_port();
        let child = command(port).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let mut running = Running(child);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (running, port);
            }
            // Somebody else has taken the port.
            if running.0.try_wait().unwrap().is_some() {
                break;
            }
            sleep(Duration::from_millis(20));
        }
    }
    panic!("the server does not start");
}

/// A static server of the folder `root`.
pub(crate) struct Nginx {
    _running: Running,
    folder: TempDir,
    port: u16,
}

impl Nginx {
    /// Starts the server with more `settings`; none if nginx was not named.
    pub(crate) fn start(settings: &str) -> Option<Self> {
        let program = program("VOXMASK_NGINX")?;
        let folder = tempfile::tempdir().unwrap();
        // The server gives up its rights, and is not the one who made the folder.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir(folder.path().join("root")).unwrap();
        fs::write(folder.path().join("users"), "me:{PLAIN}secretPassword\n").unwrap();
        let at = folder.path().to_str().unwrap().to_owned();
        let (running, port) = start(|port| {
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|name| format!("{name}_temp_path {at}/{name};"))
                .concat();
            let config = format!(
                "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;\n\
                 events {{}}\n\
                 http {{\n\
                 log_format requests '$request_method $request_uri $status $http_range';\n\
                 access_log {at}/access.log requests; {temporary}\n\
                 server {{ listen 127.0.0.1:{port}; root {at}/root; {settings} }}\n\
                 }}\n"
            );
            let file = format!("{at}/nginx.conf");
            fs::write(&file, config).unwrap();
            let mut command = Command::new(&program);
            command.args(["-p", &at, "-c", &file, "-e", &format!("{at}/error.log")]);
            command
        });
        Some(Self { _running: running, folder, port })
    }

    /// The folder that it serves.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// The requests since the last time: method, path, status and range.
    pub(crate) fn requests(&self) -> Vec<String> {
        let file = self.folder.path().join("access.log");
        // A line is written after its answer.
        sleep(Duration::from_millis(50));
        let text = fs::read_to_string(&file).unwrap();
        fs::OpenOptions::new().write(true).truncate(true).open(&file).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// An S3 server with the bucket `crops`.
pub(crate) struct S3Server {
    _running: Running,
    folder: TempDir,
    port: u16,
}

impl S3Server {
    /// Starts a server for everybody, or for those who have the keys; none if it was not named.
    pub(crate) fn start(with_keys: bool) -> Option<Self> {
        let program = program("VOXMASK_S3_SERVER")?;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("crops")).unwrap();
        let (running, port) = start(|port| {
            let mut command = Command::new(&program);
            command.args(["--host", "127.0.0.1", "--port", &port.to_string()]).arg(folder.path());
            if with_keys {
                command.args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]);
            }
            command.stderr(Stdio::null());
            command
        });
        Some(Self { _running: running, folder, port })
    }

    /// The folder of the bucket.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.folder.path().join("crops")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn put(&self, fixture: &str) {
        super::support::put(fixture, &self.bucket(), fixture);
    }
}

/// Writes a file and the folders around it.
pub(crate) fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}
