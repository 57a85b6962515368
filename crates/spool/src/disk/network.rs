//! Which file systems are reached through a network.
//!
//! On those a lock may be another machine's too, a sync may be a promise, and the index's shared memory is
//! shared with nobody.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What `statfs` calls them: `linux/magic.h`, and for the last four the sources of each.
const MAGIC: [(u64, &str); 14] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x00c3_6400, "CephFS"),
    (0x0102_1997, "9P"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564c, "NCP"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0xaad7_aaea, "PanFS"),
];

/// File systems in user space have one number for all; a mount says which it is.
const FUSE: u64 = 0x6573_5546;

/// What those that are reached through a network call themselves, behind `fuse.`.
const FUSE_NETWORK: [&str; 22] = [
    "beegfs",
    "blobfuse",
    "blobfuse2",
    "ceph",
    "ceph-fuse",
    "curlftpfs",
    "davfs",
    "gcsfuse",
    "glusterfs",
    "goofys",
    "juicefs",
    "JuiceFS",
    "lizardfs",
    "mfs",
    "moosefs",
    "mountpoint-s3",
    "quobyte",
    "rclone",
    "s3fs",
    "saunafs",
    "seaweedfs",
    "sshfs",
];

/// The network file system that a path is on, by name.
pub(super) fn file_system(path: &Path) -> io::Result<Option<String>> {
    // The number has 32 bits, and some machines give it a sign.
    let magic = rustix::fs::statfs(path)?.f_type as u64 & 0xffff_ffff;
    if magic != FUSE {
        return Ok(by_magic(magic).map(str::to_owned));
    }
    let device = fs::metadata(path)?.dev();
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(fuse_network(&mounts, device))
}

fn by_magic(magic: u64) -> Option<&'static str> {
    let known = MAGIC.iter().find(|(number, _)| *number == magic);
    known.map(|(_, name)| *name)
}

/// The kind of a device's mount (proc_pid_mountinfo(5)), if it is a network file system in user space. The
/// last mount of a device is the one that is seen.
fn fuse_network(mounts: &str, device: u64) -> Option<String> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let device = format!("{major}:{minor}");
    let mut kinds = mounts.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let is_it = place.split(' ').nth(2)? == device;
        is_it.then_some(kind.split(' ').next()?)
    });
    let kind = kinds.next_back()?.strip_prefix("fuse.")?;
    FUSE_NETWORK.contains(&kind).then(|| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        40 22 0:51 / /mnt/far rw,nosuid shared:3 - fuse.sshfs user@host:/ rw,user_id=0\n\
        41 22 0:52 / /mnt/near rw - fuse.bindfs /data rw\n\
        42 22 0:53 / /mnt/block rw - fuseblk /dev/sdb1 rw\n";

    #[test]
    fn a_mount_in_user_space_is_known_by_its_kind() {
        assert_eq!(fuse_network(MOUNTS, 51).as_deref(), Some("sshfs"));
        assert_eq!(fuse_network(MOUNTS, 52), None);
        assert_eq!(fuse_network(MOUNTS, 53), None);
        assert_eq!(fuse_network(MOUNTS, 54), None);
    }

    #[test]
    fn file_systems_are_known_by_their_number() {
        assert_eq!(by_magic(0x6969), Some("NFS"));
        assert_eq!(by_magic(0xff53_4d42), Some("CIFS"));
        assert_eq!(by_magic(0xef53), None, "ext4");
        assert_eq!(by_magic(0x5846_5342), None, "XFS");
    }

    #[test]
    fn the_folder_of_a_test_is_on_a_local_file_system() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(file_system(folder.path()).unwrap(), None);
    }
}
