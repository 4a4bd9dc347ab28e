//! Coins of every kind of output, and how each is spent. The node has no wallet.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::key::{Keypair, TapTweak};
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::secp256k1::{All, Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::{self, OutPoint};
use bitcoin::{
    Amount, CompressedPublicKey, ScriptBuf, Sequence, Transaction, TxIn, TxOut, WScriptHash,
    Witness, opcodes,
};

/// Kinds of outputs: legacy, segwit of three kinds, taproot.
pub(crate) const KINDS: [Kind; 5] =
    [Kind::Legacy, Kind::Segwit, Kind::NestedSegwit, Kind::SegwitScript, Kind::Taproot];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Legacy,
    Segwit,
    NestedSegwit,
    SegwitScript,
    Taproot,
}

/// One key that owns everything.
pub(crate) struct Owner {
    secp: Secp256k1<All>,
    secret: SecretKey,
    public: CompressedPublicKey,
}

/// An output that the owner can spend.
#[derive(Clone, Debug)]
pub(crate) struct Coin {
    pub(crate) kind: Kind,
    pub(crate) at: OutPoint,
    pub(crate) output: TxOut,
}

impl Owner {
    pub(crate) fn new() -> Self {
        let secp = Secp256k1::new();
        let secret = SecretKey::from_slice(&[0x51; 32]).unwrap();
        let public = CompressedPublicKey(secret.public_key(&secp));
        Self { secp, secret, public }
    }

    /// The output script of a kind.
    pub(crate) fn script(&self, kind: Kind) -> ScriptBuf {
        match kind {
            Kind::Legacy => ScriptBuf::new_p2pkh(&self.public.pubkey_hash()),
            Kind::Segwit => ScriptBuf::new_p2wpkh(&self.public.wpubkey_hash()),
            Kind::NestedSegwit => ScriptBuf::new_p2sh(&self.script(Kind::Segwit).script_hash()),
            Kind::SegwitScript => ScriptBuf::new_p2wsh(&WScriptHash::hash(anyones().as_bytes())),
            Kind::Taproot => {
                let (key, _) = self.public.0.x_only_public_key();
                ScriptBuf::new_p2tr(&self.secp, key, None)
            }
        }
    }

    /// Spends a coin into these outputs.
    pub(crate) fn spend(&self, coin: &Coin, output: Vec<TxOut>) -> Transaction {
        let input = TxIn {
            previous_output: coin.at,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        };
        let mut spend = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![input],
            output,
        };
        let (script_sig, witness) = self.sign(coin, &spend);
        spend.input[0].script_sig = script_sig;
        spend.input[0].witness = witness;
        spend
    }

    fn sign(&self, coin: &Coin, spend: &Transaction) -> (ScriptBuf, Witness) {
        let mut cache = SighashCache::new(spend);
        let ecdsa = |digest: [u8; 32]| bitcoin::ecdsa::Signature {
            signature: self.secp.sign_ecdsa(&Message::from_digest(digest), &self.secret),
            sighash_type: EcdsaSighashType::All,
        };
        let segwit = self.script(Kind::Segwit);
        match coin.kind {
            Kind::Legacy => {
                let script = &coin.output.script_pubkey;
                let digest = cache.legacy_signature_hash(0, script, EcdsaSighashType::All as u32);
                let signature = ecdsa(digest.unwrap().to_byte_array()).serialize();
                let script_sig = Builder::new()
                    .push_slice(PushBytesBuf::try_from(signature.to_vec()).unwrap())
                    .push_slice(self.public.to_bytes())
                    .into_script();
                (script_sig, Witness::new())
            }
            Kind::Segwit | Kind::NestedSegwit => {
                let value = coin.output.value;
                let digest =
                    cache.p2wpkh_signature_hash(0, &segwit, value, EcdsaSighashType::All).unwrap();
                let witness = Witness::p2wpkh(&ecdsa(digest.to_byte_array()), &self.public.0);
                let redeem = PushBytesBuf::try_from(segwit.into_bytes()).unwrap();
                let script_sig = if coin.kind == Kind::NestedSegwit {
                    Builder::new().push_slice(redeem).into_script()
                } else {
                    ScriptBuf::new()
                };
                (script_sig, witness)
            }
            Kind::SegwitScript => (ScriptBuf::new(), Witness::from_slice(&[anyones().as_bytes()])),
            Kind::Taproot => {
                let outputs = [&coin.output];
                let digest = cache
                    .taproot_key_spend_signature_hash(
                        0,
                        &Prevouts::All(&outputs),
                        TapSighashType::Default,
                    )
                    .unwrap();
                let pair = Keypair::from_secret_key(&self.secp, &self.secret);
                let pair = pair.tap_tweak(&self.secp, None).to_keypair();
                let message = Message::from_digest(digest.to_byte_array());
                let signature = bitcoin::taproot::Signature {
                    signature: self.secp.sign_schnorr_no_aux_rand(&message, &pair),
                    sighash_type: TapSighashType::Default,
                };
                (ScriptBuf::new(), Witness::p2tr_key_spend(&signature))
            }
        }
    }

    /// Splits a coin into `count` of all kinds in turn, leaving a fee.
    pub(crate) fn split(&self, coin: &Coin, count: usize) -> (Transaction, Vec<Coin>) {
        let value = (coin.output.value - Amount::from_sat(200_000)) / (count as u64);
        let kinds: Vec<Kind> = KINDS.into_iter().cycle().take(count).collect();
        let outputs: Vec<TxOut> =
            kinds.iter().map(|kind| TxOut { value, script_pubkey: self.script(*kind) }).collect();
        let spend = self.spend(coin, outputs);
        let txid = spend.compute_txid();
        let coins = kinds.into_iter().zip(&spend.output).zip(0_u32..);
        let coins = coins.map(|((kind, output), vout)| Coin {
            kind,
            at: OutPoint { txid, vout },
            output: output.clone(),
        });
        let coins = coins.collect();
        (spend, coins)
    }

    /// Moves a coin to another kind of output, leaving `fee_sats`.
    pub(crate) fn moved(&self, coin: &Coin, to: Kind, fee_sats: u64) -> Transaction {
        let value = coin.output.value - Amount::from_sat(fee_sats);
        self.spend(coin, vec![TxOut { value, script_pubkey: self.script(to) }])
    }
}

/// The script that anybody may spend.
fn anyones() -> ScriptBuf {
    Builder::new().push_opcode(opcodes::OP_TRUE).into_script()
}
