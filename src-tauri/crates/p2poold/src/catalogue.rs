//! The error catalogue's words for conditions of the Bitcoin node and of the node itself.

/// What a code says, as a person reads it; details are told beside it. Nothing for codes that never
/// come without a sentence of their own.
pub(crate) fn sentence(code: &str) -> &'static str {
    match code {
        "N-01" => "Your Bitcoin node isn't running or doesn't accept connections.",
        "N-02" => "Your Bitcoin node is very slow to answer. Work may be late.",
        "N-03" => "Your Bitcoin node rejected our login. It was probably changed.",
        "N-04" => "Your node doesn't allow connections from this computer.",
        "N-05" => "We may not read the node's login file (another user owns it).",
        "N-06" => "Your Bitcoin node is starting. We'll wait.",
        "N-07" => "Your Bitcoin node is still catching up. Mining starts by itself.",
        "N-08" => "This node is on another chain than the one you want to mine on.",
        "N-09" => "Your node has no connection to the Bitcoin network.",
        "N-10" => "No new Bitcoin block for two hours or more. Your node may be stuck.",
        "N-11" => "This Bitcoin node is too old for P2Pool. Please update it.",
        "N-12" => "Your node couldn't make a block template.",
        "N-13" => "Your node rejected a block we found.",
        "N-14" => "This connection would send your login unprotected over the internet.",
        "N-15" => "The pool is ahead of your node. Shares would be worthless, so we wait.",
        "P-01" => "No other pool members found. Still looking.",
        "P-02" => "Your network seems to block the pool's port.",
        "P-03" => "Another program uses the pool's port. Is another P2Pool running?",
        "P-04" => "What members sent us doesn't fit together. We're starting over with others.",
        "P-05" => "The pool now uses rules this version doesn't know. Update to keep earning.",
        "P-06" => "You may be on a split of the pool.",
        "P-07" => "Members disconnect us. Please update.",
        "P-08" => "The pool has been silent for a while.",
        "P-09" => "You're the only one mining right now. Blocks would be all yours, and very rare.",
        "P-10" => "Your router closed the port again. You still earn the same.",
        "P-11" => "Your computer's clock is off. Shares may be refused.",
        "E-APP-01" => "We can't save data. Mining goes on, history doesn't.",
        "E-CPU-01" => "The CPU miner cannot be started. Your devices aren't affected.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use p2pool_bitcoind::{Condition, RpcError};

    use super::*;

    #[test]
    fn every_condition_of_the_bitcoin_node_has_words() {
        let errors = [
            RpcError::Unreachable { reason: "refused".into() },
            RpcError::Unauthorized,
            RpcError::Forbidden,
            RpcError::Overloaded,
            RpcError::WarmUp("Loading".into()),
            RpcError::CookieMissing { path: "c".into() },
            RpcError::CookieUnreadable { path: "c".into(), reason: "no".into() },
            RpcError::PublicAddress { address: "203.0.113.7".into() },
            RpcError::Rpc { code: -9, message: "alone".into() },
            RpcError::Rpc { code: -10, message: "behind".into() },
            RpcError::Rpc { code: -1, message: "odd".into() },
        ];
        for error in errors {
            let words = sentence(Condition::from(&error).code());
            assert!(words.ends_with('.') && !words.contains('!'), "{error}: {words}");
        }
    }
}
