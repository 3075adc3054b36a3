//! Who the container runs as: `config.User` resolved in the final tree as moby/sys/user resolves it.
//!
//! Docker, runc and BuildKit resolve users with `GetExecUser` of that module; containerd agrees but for the cases that end
//! as a [`UserProblem`] or a remark here.

mod database;

#[cfg(test)]
mod tests;

use self::database::{Id, Line};

pub(super) use self::database::lines;
use super::bodies::Bodies;
use crate::oci::{Code, Remark};
use crate::rootfs::Rootfs;

const PASSWD: &[u8] = b"/etc/passwd";
const GROUP: &[u8] = b"/etc/group";
/// A longer line of passwd stops the runtimes' line reader (`bufio.MaxScanTokenSize`).
const PASSWD_LINE_BYTES: usize = 64 * 1024;
/// A longer line of group stops the runtimes' line reader.
const GROUP_LINE_BYTES: usize = 1024 * 1024;

/// The effective user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// `config.User`, verbatim.
    pub configured: String,
    /// None when it does not resolve.
    pub uid: Option<u32>,
    /// None when it does not resolve.
    pub gid: Option<u32>,
    /// Supplementary groups, sorted.
    pub groups: Vec<u32>,
    /// Why the container will not start as this user.
    pub problem: Option<UserProblem>,
}

/// Why a user does not resolve. Names are raw text from the config.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserProblem {
    /// The name is not in `/etc/passwd`.
    UnknownUser(String),
    /// The group's name is not in `/etc/group`.
    UnknownGroup(String),
    /// A number outside 0 to 2^31-1.
    OutOfRange(String),
    /// More than one colon, which containerd refuses.
    Malformed(String),
}

/// Resolves `configured` in the tree. What could not be read of the user databases goes to the not-examined list of `bodies`.
pub(super) fn resolve(configured: &str, bodies: &mut Bodies<'_>) -> User {
    let passwd = bodies.user_database(PASSWD);
    let group = bodies.user_database(GROUP);
    let user = User { configured: configured.to_owned(), ..User::default() };
    match effective(configured, passwd, group) {
        Ok((uid, gid, groups)) => User { uid: Some(uid), gid: Some(gid), groups, ..user },
        Err(problem) => User { problem: Some(problem), ..user },
    }
}

/// Remarks about user databases that are reached through symbolic links, when `configured` makes a runtime open them:
/// containerd opens nothing for an unset user or two numbers.
pub(super) fn remarks(configured: &str, rootfs: &Rootfs) -> Vec<Remark> {
    let (user, group) = configured.split_once(':').unwrap_or((configured, ""));
    let is_number = |text: &str| !matches!(Id::parse(text.as_bytes()), Id::Name);
    let opens_passwd = !(user.is_empty() || (is_number(user) && is_number(group)));
    let opens_group = (opens_passwd && group.is_empty()) || (!group.is_empty() && !is_number(group));
    [(PASSWD, opens_passwd), (GROUP, opens_group)]
        .into_iter()
        .filter(|(path, is_opened)| *is_opened && is_through_link(rootfs, path))
        .map(|(path, _)| Remark::at(Code::UserDbSymlink, path, "config.User is looked up in it"))
        .collect()
}

fn is_through_link(rootfs: &Rootfs, path: &[u8]) -> bool {
    let mut at = rootfs.root();
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        let Some(child) = rootfs.child(at, name) else { return false };
        if rootfs.inode(child).target().is_some() {
            return true;
        }
        at = child;
    }
    false
}

/// uid, gid, supplementary groups.
type Effective = (u32, u32, Vec<u32>);

fn effective(configured: &str, passwd: Option<&[u8]>, group: Option<&[u8]>) -> Result<Effective, UserProblem> {
    let (user_text, group_text) = configured.split_once(':').unwrap_or((configured, ""));
    if group_text.contains(':') {
        return Err(UserProblem::Malformed(configured.to_owned()));
    }
    let user_id = Id::parse(user_text.as_bytes());
    let group_id = Id::parse(group_text.as_bytes());
    for (id, text) in [(user_id, user_text), (group_id, group_text)] {
        id.number_of(text)?;
    }

    let unreadable = || UserProblem::UnknownUser(if user_text.is_empty() { "0".to_owned() } else { user_text.to_owned() });
    let account = first_account(passwd, user_text, user_id).map_err(|TooLong| unreadable())?;
    let (uid, primary) = match (&account, user_id) {
        (Some(line), _) => (in_range(line.id(2))?, in_range(line.id(3))?),
        (None, Id::Number(uid)) => (uid, 0),
        (None, _) if user_text.is_empty() => (0, 0),
        (None, _) => return Err(unreadable()),
    };
    if group_text.is_empty() {
        let name = account.as_ref().map(|line| line.text(0)).unwrap_or_default();
        return Ok((uid, primary, supplementary(group, name)?));
    }
    Ok((uid, explicit_group(group, group_text, group_id)?, Vec::new()))
}

/// A line that is longer than the runtimes' line reader takes: they give up on the file.
struct TooLong;

/// The first line of passwd for the user; for an unset user the first with uid 0.
fn first_account<'a>(passwd: Option<&'a [u8]>, text: &str, id: Id) -> Result<Option<Line<'a>>, TooLong> {
    let mut first = None;
    for line in lines(passwd.unwrap_or_default()) {
        if line.is_too_long(PASSWD_LINE_BYTES) {
            return Err(TooLong);
        }
        let is_match = match id {
            _ if text.is_empty() => line.id(2) == 0,
            Id::Number(uid) => line.id(2) == i64::from(uid),
            _ => line.text(0) == text.as_bytes(),
        };
        if is_match && !line.is_blank() && first.is_none() {
            first = Some(line);
        }
    }
    Ok(first)
}

fn group_lines(group: Option<&[u8]>) -> impl Iterator<Item = Line<'_>> {
    lines(group.unwrap_or_default()).filter(|line| !line.is_blank() && !line.is_comment())
}

fn is_group_unreadable(group: Option<&[u8]>) -> bool {
    lines(group.unwrap_or_default()).any(|line| line.is_too_long(GROUP_LINE_BYTES))
}

/// The groups that list `name` as a member. A name that is empty (no account, or an account without a name) has none.
fn supplementary(group: Option<&[u8]>, name: &[u8]) -> Result<Vec<u32>, UserProblem> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    if is_group_unreadable(group) {
        return Err(UserProblem::UnknownGroup(String::from_utf8_lossy(name).into_owned()));
    }
    let mut groups = group_lines(group)
        .filter(|line| line.members().any(|member| member == name))
        .map(|line| in_range(line.id(2)))
        .collect::<Result<Vec<_>, _>>()?;
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

fn explicit_group(group: Option<&[u8]>, text: &str, id: Id) -> Result<u32, UserProblem> {
    let unknown = || UserProblem::UnknownGroup(text.to_owned());
    if is_group_unreadable(group) {
        return Err(unknown());
    }
    if let Id::Number(gid) = id {
        return Ok(gid);
    }
    let line = group_lines(group).find(|line| line.text(0) == text.as_bytes()).ok_or_else(unknown)?;
    in_range(line.id(2))
}

/// Numbers in the files are not checked by all runtimes: Docker wraps 4294967296 to root, others refuse.
fn in_range(id: i64) -> Result<u32, UserProblem> {
    match u32::try_from(id) {
        Ok(number) if number <= Id::LARGEST => Ok(number),
        _ => Err(UserProblem::OutOfRange(id.to_string())),
    }
}
