//! Which Bitcoin node live mining asks, and how it logs in: as the settings say, or as found on
//! this computer. Passwords come from the computer's password store, from a file that its owner
//! alone may read, or from the person.

use bitcoin::Network;
use p2pool_bitcoind::local::{self, ChooseError, Cookie, LocalNode, Surroundings, usual_port};
use p2pool_bitcoind::private_file::read_secret;
use p2pool_bitcoind::{Auth, RpcConfig, Secret};
use p2pool_node::{BitcoinSource, RawRun};

use crate::api::ProblemCode;
use crate::host::Host;
use crate::problems::{self, Condition};

/// Name under which the password of the Bitcoin node at `url` is kept in the password store.
pub(crate) fn account(url: &str) -> String {
    let place = url.trim().trim_end_matches('/');
    format!("bitcoind:{}", place.strip_prefix("http://").unwrap_or(place))
}

/// Address of the Bitcoin node that the settings name.
pub(crate) fn url(raw: &RawRun, chain: Network) -> String {
    let usual = || format!("http://127.0.0.1:{}", usual_port(chain));
    raw.rpc_url.clone().unwrap_or_else(usual)
}

/// The Bitcoin node, and its reserve if there is one. Blocks: it looks around on this computer and
/// asks the password store. `given` is the password that the person has just typed.
///
/// # Errors
/// There is no login, with what the person can do about it.
pub(crate) fn source(
    raw: &RawRun,
    chain: Network,
    host: &dyn Host,
    given: Option<&Secret>,
) -> Result<BitcoinSource, Box<Condition>> {
    let allows_public = raw.rpc_public.unwrap_or(false);
    let mut rpc = main_node(raw, chain, host, given)?;
    rpc.allows_public = allows_public;
    let reserve = raw.reserve.as_ref().map(|reserve| {
        let url = reserve.rpc_url.clone();
        let auth = match (&reserve.rpc_user, &reserve.rpc_cookie) {
            (None, Some(cookie)) => Auth::Cookie(cookie.clone()),
            (None, None) => return Err(no_login(ProblemCode::LoginRefused, &url, "no login")),
            (Some(user), _) => {
                let file = reserve.rpc_password_file.as_deref();
                user_password(user, password(&url, file, host, None)?)
            }
        };
        Ok(RpcConfig { url, auth, allows_public })
    });
    Ok(BitcoinSource::Bitcoind { rpc, reserve: reserve.transpose()? })
}

fn main_node(
    raw: &RawRun,
    chain: Network,
    host: &dyn Host,
    given: Option<&Secret>,
) -> Result<RpcConfig, Box<Condition>> {
    let url = url(raw, chain);
    let auth = if let Some(user) = &raw.rpc_user {
        user_password(user, password(&url, raw.rpc_password_file.as_deref(), host, given)?)
    } else if let Some(cookie) = &raw.rpc_cookie {
        Auth::Cookie(cookie.clone())
    } else {
        return found(raw, chain);
    };
    Ok(RpcConfig { url, auth, allows_public: false })
}

fn user_password(user: &str, password: Secret) -> Auth {
    Auth::UserPassword { user: user.to_owned(), password }
}

/// A password that is known from now on, and that no log may show.
pub(crate) fn hide(host: &dyn Host, password: &Secret) {
    if let Some(log) = host.log() {
        log.hide(password.expose());
    }
}

fn password(
    url: &str,
    file: Option<&std::path::Path>,
    host: &dyn Host,
    given: Option<&Secret>,
) -> Result<Secret, Box<Condition>> {
    let password = stored_password(url, file, host, given)?;
    hide(host, &password);
    Ok(password)
}

fn stored_password(
    url: &str,
    file: Option<&std::path::Path>,
    host: &dyn Host,
    given: Option<&Secret>,
) -> Result<Secret, Box<Condition>> {
    if let Some(given) = given {
        return Ok(given.clone());
    }
    if let Some(file) = file {
        let read = read_secret(file);
        return read.map_err(|error| {
            let technical = format!("{}: {error}", file.display());
            no_login(ProblemCode::LoginMissing, url, technical)
        });
    }
    match host.keychain().get(&account(url)) {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(no_login(ProblemCode::LoginMissing, url, "no password is stored")),
        Err(error) => Err(Box::new(problems::of_keychain(&error).with("url", url))),
    }
}

fn no_login(code: ProblemCode, url: &str, technical: impl Into<String>) -> Box<Condition> {
    Box::new(Condition::catalogued(code, technical).with("url", url).retryable())
}

/// The node on this computer. One that does not run is waited for where it will be.
fn found(raw: &RawRun, chain: Network) -> Result<RpcConfig, Box<Condition>> {
    let surroundings = Surroundings::of_this_computer();
    let folder = raw.bitcoin_dir.clone();
    let look_at = |folder: &std::path::Path| {
        local::look_at(&surroundings, folder, raw.bitcoin_conf.as_deref(), Some(chain))
    };
    let failure =
        |code, technical: &str| Box::new(Condition::catalogued(code, technical).retryable());
    let node: LocalNode = match folder {
        Some(folder) => look_at(&folder),
        None => match local::inspect(&surroundings).choose(chain) {
            Ok(node) => node.clone(),
            Err(ChooseError::Nothing) => {
                let usual = surroundings.usual_data_folder();
                look_at(&usual.ok_or_else(|| failure(ProblemCode::NodeUnreachable, "no folder"))?)
            }
            Err(error @ ChooseError::OtherUser) => {
                return Err(failure(ProblemCode::CookieUnreadable, &error.to_string()));
            }
            Err(error) => {
                return Err(failure(ProblemCode::FoldersUnclear, &error.to_string()));
            }
        },
    };
    let auth = match (node.login(), node.cookie()) {
        (Some(login), _) => login.clone(),
        (None, Cookie::Readable(path) | Cookie::Missing(path)) => Auth::Cookie(path.clone()),
        (None, Cookie::Unreadable { path, reason }) => {
            let technical = format!("{}: {reason}", path.display());
            return Err(failure(ProblemCode::CookieUnreadable, &technical));
        }
        (None, Cookie::NotMade) => {
            return Err(failure(ProblemCode::LoginRefused, "the node makes no cookie file"));
        }
    };
    Ok(node.rpc_config(auth))
}
