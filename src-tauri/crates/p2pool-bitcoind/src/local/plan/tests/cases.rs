//! Configuration files with what becomes of them, byte for byte.

use super::Expected::{self, Becomes, Nothing, Refused};

/// Name, the file, what becomes of it with the style `RpcAuth` and consent to switch on.
///
/// `<B>` stands for our block with line feeds, `<C>` with carriage returns too, `<b>` and `<c>` for the
/// same without the last line end. `<N>` is the block without a user name, `<W>` the one with a
/// whitelist, `<1:x>` the one that remembers that line 1 was `server=x`.
pub(super) const CASES: &[(&str, &[u8], Expected)] = &[
    // Ends of files.
    ("empty", b"", Becomes(b"<b>")),
    ("one line feed", b"\n", Becomes(b"\n<B>")),
    ("blank lines", b"\n\n \n", Becomes(b"\n\n \n<B>")),
    ("one line", b"txindex=1\n", Becomes(b"txindex=1\n<B>")),
    ("no line feed at the end", b"txindex=1", Becomes(b"txindex=1\n<b>")),
    ("carriage return at the end", b"txindex=1\r", Becomes(b"txindex=1\r\n<b>")),
    ("several lines", b"a=1\nb=2\nc=3\n", Becomes(b"a=1\nb=2\nc=3\n<B>")),
    ("blank line at the end", b"a=1\n\n", Becomes(b"a=1\n\n<B>")),
    // Line ends.
    ("CRLF", b"a=1\r\nb=2\r\n", Becomes(b"a=1\r\nb=2\r\n<C>")),
    ("CRLF, open end", b"a=1\r\nb=2", Becomes(b"a=1\r\nb=2\r\n<c>")),
    ("CRLF, blank", b"\r\n", Becomes(b"\r\n<C>")),
    ("mostly CRLF", b"a=1\r\nb=2\nc=3\r\n", Becomes(b"a=1\r\nb=2\nc=3\r\n<C>")),
    ("mostly LF", b"a=1\r\nb=2\nc=3\n", Becomes(b"a=1\r\nb=2\nc=3\n<B>")),
    ("as many of both", b"a=1\r\nb=2\n", Becomes(b"a=1\r\nb=2\n<B>")),
    ("CR only", b"a=1\rb=2\r", Becomes(b"a=1\rb=2\r\n<b>")),
    ("CRLF with section", b"a=1\r\n[test]\r\nb=1\r\n", Becomes(b"a=1\r\n<C>[test]\r\nb=1\r\n")),
    // Sections.
    ("section first", b"[main]\na=1\n", Becomes(b"<B>[main]\na=1\n")),
    ("section alone", b"[main]", Becomes(b"<B>[main]")),
    ("section later", b"a=1\n[test]\nb=1\n", Becomes(b"a=1\n<B>[test]\nb=1\n")),
    ("two sections", b"a=1\n[test]\nb=1\n[main]\n", Becomes(b"a=1\n<B>[test]\nb=1\n[main]\n")),
    ("indented section", b"a=1\n  [test]  \nb=1\n", Becomes(b"a=1\n<B>  [test]  \nb=1\n")),
    ("section with comment", b"a=1\n[test] # x\n", Becomes(b"a=1\n<B>[test] # x\n")),
    ("unknown section", b"[mainnet]\na=1\n", Becomes(b"<B>[mainnet]\na=1\n")),
    ("section without name", b"[]\na=1\n", Becomes(b"<B>[]\na=1\n")),
    ("comment of a section", b"a=1\n# x\n[test]\n", Becomes(b"a=1\n# x\n<B>[test]\n")),
    ("dotted names", b"main.a=1\ntest.b=1\n", Becomes(b"main.a=1\ntest.b=1\n<B>")),
    ("brackets in a value", b"a=[x]\n", Becomes(b"a=[x]\n<B>")),
    ("commented section", b"#[test]\na=1\n", Becomes(b"#[test]\na=1\n<B>")),
    // Comments and blanks.
    ("comments", b"# a\n#b\n  # c\n", Becomes(b"# a\n#b\n  # c\n<B>")),
    ("comment behind a value", b"a=1 # x\n", Becomes(b"a=1 # x\n<B>")),
    ("tabs and blanks", b"\t a \t=\t 1 \n", Becomes(b"\t a \t=\t 1 \n<B>")),
    ("empty value", b"a=\n", Becomes(b"a=\n<B>")),
    ("equals in a value", b"a=b=c\n", Becomes(b"a=b=c\n<B>")),
    (
        "commented login",
        b"#rpcuser=x\n#rpcpassword=y\n",
        Becomes(b"#rpcuser=x\n#rpcpassword=y\n<B>"),
    ),
    // Encodings.
    ("UTF-8", b"# gr\xc3\xbc\xc3\x9fe\n", Becomes(b"# gr\xc3\xbc\xc3\x9fe\n<B>")),
    ("Latin-1", b"# gr\xfc\xdfe\n", Becomes(b"# gr\xfc\xdfe\n<B>")),
    ("byte order mark", b"\xef\xbb\xbfa=1\n", Becomes(b"\xef\xbb\xbfa=1\n<B>")),
    ("mark before server=0", b"\xef\xbb\xbfserver=0\n", Becomes(b"\xef\xbb\xbfserver=0\n<B>")),
    ("zero byte in a value", b"a=\0\n", Becomes(b"a=\0\n<B>")),
    ("control characters", b"a=\x01\x1b\x7f\n", Becomes(b"a=\x01\x1b\x7f\n<B>")),
    ("mark before a comment", b"\xef\xbb\xbf# a\n", Refused("line 1 has no '='")),
    ("mark before a section", b"\xef\xbb\xbf[main]\n", Refused("line 1 has no '='")),
    ("UTF-16", b"\xff\xfea\0=\x001\0\n\0", Refused("line 2 has no '='")),
    // What the node would refuse.
    ("no equals", b"a=1\nserver\n", Refused("line 2 has no '='")),
    ("dash", b"-server=1\n", Refused("line 1 begins with '-'")),
    ("hash beside password", b"rpcpassword=a#b\n", Refused("line 1 has a '#'")),
    ("conf in conf", b"conf=x\n", Refused("line 1 sets conf")),
    ("malformed rpcauth", b"rpcauth=x\n", Refused("line 1: rpcauth is not user:salt$hash")),
    ("two chains", b"regtest=1\nsignet=1\n", Refused("more than one chain")),
    ("unknown chain", b"chain=mars\n", Refused("no chain \"mars\"")),
    ("missing include", b"includeconf=no.conf\n", Refused("no.conf is included")),
    ("missing folder", b"datadir=/no/such\n", Refused("/no/such is not there")),
    ("port beside a section", b"testnet4=1\nrpcport=1\n", Refused("rpcport for a test chain")),
    // Connections switched on or off.
    ("on", b"server=1\n", Becomes(b"server=1\n<B>")),
    ("off", b"server=0\n", Becomes(b"server=1\n<1:0>")),
    ("off in words", b" server = false # no\n", Becomes(b" server = 1 # no\n<1:false>")),
    ("yes means off", b"server=yes\n", Becomes(b"server=1\n<1:yes>")),
    ("off, then on", b"server=0\nserver=1\n", Becomes(b"server=1\nserver=1\n<1:0>")),
    ("on, then off", b"server=1\nserver=0\n", Becomes(b"server=1\nserver=0\n<B>")),
    ("off, open end, CRLF", b"server=0\r\na=1", Becomes(b"server=1\r\na=1\r\n<1:0 c>")),
    ("off in the section", b"[main]\nserver=0\n", Becomes(b"<2:0>[main]\nserver=1\n")),
    ("off by a dotted name", b"main.server=0\n", Becomes(b"main.server=1\n<1:0>")),
    ("off for another chain", b"[test]\nserver=0\n", Becomes(b"<B>[test]\nserver=0\n")),
    ("negated", b"noserver=1\n", Becomes(b"noserver=1\n<B>")),
    ("twice negated", b"noserver=0\n", Becomes(b"noserver=0\n<B>")),
    ("negated in the section", b"[main]\nnoserver=1\n", Refused("server is decided by")),
    // Logins of others.
    ("user of others", b"rpcuser=bob\n", Becomes(b"rpcuser=bob\n<N>")),
    ("proof of others", b"rpcauth=bob:1$2\n", Becomes(b"rpcauth=bob:1$2\n<B>")),
    (
        "login in clear",
        b"rpcuser=bob\nrpcpassword=x\n",
        Becomes(b"rpcuser=bob\nrpcpassword=x\n<N>"),
    ),
    ("password without user", b"rpcpassword=x\n", Becomes(b"rpcpassword=x\n<N>")),
    ("user in the section", b"[main]\nrpcuser=bob\n", Becomes(b"<N>[main]\nrpcuser=bob\n")),
    ("proofs negated before us", b"norpcauth=1\n", Becomes(b"norpcauth=1\n<B>")),
    ("proofs negated in the section", b"[main]\nnorpcauth=1\n", Refused("rpcauth is decided by")),
    ("whitelist of others", b"rpcwhitelist=bob:stop\n", Becomes(b"rpcwhitelist=bob:stop\n<W>")),
    (
        "whitelist of others that shuts nobody out",
        b"rpcwhitelist=bob:stop\nrpcwhitelistdefault=0\n",
        Becomes(b"rpcwhitelist=bob:stop\nrpcwhitelistdefault=0\n<B>"),
    ),
    // Dangers are pointed out, never changed.
    (
        "open to everyone",
        b"allowreceivebyip=1\nrpcallowip=0.0.0.0/0\nrpcbind=0.0.0.0\n",
        Becomes(b"allowreceivebyip=1\nrpcallowip=0.0.0.0/0\nrpcbind=0.0.0.0\n<B>"),
    ),
    // Markers that are not ours, or are ours in part.
    ("end alone", b"# --- end P2Pool Desktop ---\n", Becomes(b"# --- end P2Pool Desktop ---\n<B>")),
    (
        "begin alone",
        b"# --- added by P2Pool Desktop x ---\na=1\n",
        Becomes(b"# --- added by P2Pool Desktop x ---\na=1\n<B>"),
    ),
    (
        "block of others",
        b"# --- added by Other x ---\nserver=1\n# --- end Other ---\n",
        Becomes(b"# --- added by Other x ---\nserver=1\n# --- end Other ---\n<B>"),
    ),
    // Nothing to do at all.
    ("known login, put in by the test", b"", Nothing),
];
