use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NOW: UnixTime = UnixTime(1_700_000_000);
const HOUR: u64 = 3600;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A public address: `group` picks the /16, `host` the rest.
fn public(group: u16, host: u16) -> SocketAddr {
    let [a, b] = group.to_be_bytes();
    let [c, d] = host.to_be_bytes();
    SocketAddr::from(([11 + a % 80, b, c, d], 9333))
}

fn source(group: u16) -> IpAddr {
    public(group, 1).ip()
}

fn tell(book: &mut AddrBook, address: SocketAddr, from: IpAddr) -> bool {
    book.tell(NOW, address, Services::NONE, NOW, Some(from))
}

fn rng() -> fastrand::Rng {
    fastrand::Rng::with_seed(5)
}

fn later(secs: u64) -> UnixTime {
    UnixTime(NOW.0 + secs)
}

#[test]
fn addresses_nobody_else_can_dial_are_refused_in_public_and_taken_in_private() {
    for text in ["10.0.0.1:9333", "127.0.0.1:9333", "[fe80::1]:9333", "203.0.113.5:9333"] {
        let (mut public_book, mut private_book) = (AddrBook::new(false), AddrBook::new(true));
        assert!(!tell(&mut public_book, address(text), source(1)), "{text}");
        assert!(tell(&mut private_book, address(text), source(1)), "{text}");
        public_book.note_success(NOW, address(text), Services::NONE);
        assert_eq!((public_book.len(), private_book.len()), (0, 1), "{text}");
    }
    for text in ["1.2.3.4:0", "0.0.0.0:9333", "[::]:9333", "224.0.0.1:1", "255.255.255.255:1"] {
        assert!(!tell(&mut AddrBook::new(true), address(text), source(1)), "{text}");
    }
}

#[test]
fn an_address_is_the_same_however_it_is_written() {
    let mut book = AddrBook::new(false);
    tell(&mut book, address("1.2.3.4:9333"), source(1));
    tell(&mut book, address("[::ffff:1.2.3.4]:9333"), source(1));
    assert_eq!(book.len(), 1);
    assert!(book.get(address("[::ffff:1.2.3.4]:9333")).is_some());
}

#[test]
fn nobody_can_make_an_address_newer_than_now_or_older_than_it_is() {
    let mut book = AddrBook::new(false);
    let at = public(1, 1);
    book.tell(NOW, at, Services::NONE, UnixTime(u64::MAX), Some(source(2)));
    book.tell(NOW, public(2, 1), Services::NONE, UnixTime(5), Some(source(2)));
    let times = |at| book.get(at).map(|known| (known.first_seen, known.last_seen)).unwrap();
    assert_eq!(times(at), (NOW, NOW));
    assert_eq!(times(public(2, 1)), (NOW, UnixTime(5)));
}

#[test]
fn hearsay_says_nothing_new_about_a_proven_address() {
    let mut book = AddrBook::new(false);
    let at = public(1, 1);
    book.note_success(NOW, at, Services::SHARE_HASHES);
    book.tell(later(50), at, Services::NONE, later(50), Some(source(2)));
    let known = book.get(at).unwrap();
    assert_eq!((known.last_seen, known.services), (NOW, Services::SHARE_HASHES));
}

#[test]
fn one_source_tells_only_so_much() {
    let mut book = AddrBook::new(false);
    for number in 0..20_000 {
        tell(&mut book, public(number, number), source(7));
    }
    assert_eq!(book.len(), SOURCE_ADDRESSES_MAX);
}

#[test]
fn one_source_does_not_block_a_group_and_many_do_not_fill_it_further() {
    let mut book = AddrBook::new(false);
    for host in 0..100 {
        tell(&mut book, public(1, host), source(2));
    }
    assert_eq!(book.len(), GROUP_ADDRESSES_OF_SOURCE_MAX);
    for number in 0..100 {
        tell(&mut book, public(1, 1000 + number), source(number + 3));
    }
    assert_eq!(book.len(), GROUP_ADDRESSES_MAX);

    // What failed makes room.
    let dead = book.records().next().unwrap().address;
    book.note_failure(NOW, dead);
    tell(&mut book, public(1, 5000), source(500));
    assert!(book.get(dead).is_none() && book.get(public(1, 5000)).is_some());
}

#[test]
fn a_full_book_keeps_what_is_proven_and_takes_what_is_proven() {
    let mut book = AddrBook::new(false);
    for number in 0..4000 {
        book.note_success(NOW, public(number, number), Services::NONE);
    }
    for number in 4000..12_000 {
        tell(&mut book, public(number, number), source(number / 200));
    }
    assert_eq!(book.len(), ADDRESSES_MAX);
    let is_there = |book: &AddrBook, number| book.get(public(number, number)).is_some();
    assert!((0..4000).all(|number| is_there(&book, number)));

    let new = address("99.1.1.1:9333");
    book.note_success(NOW, new, Services::NONE);
    assert!(book.get(new).is_some());
    assert!((0..4000).all(|number| is_there(&book, number)));
    assert_eq!(book.len(), ADDRESSES_MAX);
}

#[test]
fn hearsay_dies_of_three_failures_and_what_was_good_lately_does_not() {
    let mut book = AddrBook::new(false);
    let (heard, good) = (public(1, 1), public(2, 1));
    tell(&mut book, heard, source(3));
    book.note_success(NOW, good, Services::NONE);
    for _ in 0..3 {
        assert!(book.get(heard).is_some());
        book.note_failure(NOW, heard);
    }
    assert!(book.get(heard).is_none());
    for _ in 0..50 {
        book.note_failure(later(24 * HOUR), good);
    }
    assert!(book.get(good).is_some());
    book.note_failure(later(8 * 24 * HOUR), good);
    assert!(book.get(good).is_none());
}

#[test]
fn what_nothing_was_heard_of_for_long_is_forgotten() {
    let mut book = AddrBook::new(false);
    tell(&mut book, public(1, 1), source(3));
    book.note_success(NOW, public(2, 1), Services::NONE);
    book.expire(later(29 * 24 * HOUR));
    assert_eq!(book.len(), 2);
    book.expire(later(31 * 24 * HOUR));
    assert_eq!(book.len(), 1);
    book.expire(later(91 * 24 * HOUR));
    assert!(book.is_empty());
}

#[test]
fn pauses_between_tries_grow_with_failures_that_count() {
    let mut book = AddrBook::new(false);
    let at = public(1, 1);
    book.note_success(NOW, at, Services::NONE);
    let mut pauses = Vec::new();
    for _ in 0..7 {
        book.note_try(NOW, at);
        let is_due = |secs: &u64| book.pick(later(*secs), &mut rng(), |_| true).is_some();
        pauses.push((0..5000).find(is_due).unwrap());
        book.note_failure(NOW, at);
    }
    assert_eq!(pauses, [10, 40, 160, 640, 2560, 3600, 3600]);
    // A clock that was set back does not keep us from trying.
    assert!(book.pick(UnixTime(NOW.0 - 1), &mut rng(), |_| true).is_some());
}

#[test]
fn old_acquaintances_that_were_there_lately_are_chosen_first() {
    let mut book = AddrBook::new(false);
    let (old, new) = (public(1, 1), public(2, 1));
    book.note_success(NOW, old, Services::NONE);
    let now = later(30 * 24 * HOUR);
    book.note_success(now, old, Services::NONE);
    book.note_success(now, new, Services::NONE);
    let now = UnixTime(now.0 + 60);
    let mut rng = rng();
    let picked = (0..1000).filter(|_| book.pick(now, &mut rng, |_| true) == Some(old)).count();
    // Ratio of the logarithms: ln(30 days) to ln(1 hour), some 64 of 100.
    assert!((600..700).contains(&picked), "{picked}");
}

#[test]
fn a_liar_with_many_addresses_is_chosen_as_often_as_an_honest_source_with_few() {
    let mut book = AddrBook::new(false);
    for number in 0..SOURCE_ADDRESSES_MAX as u16 {
        tell(&mut book, public(1000 + number, number), source(7));
    }
    for number in 0..3 {
        tell(&mut book, public(number, 1), source(8));
    }
    book.note_success(NOW, public(20, 1), Services::NONE);
    let (mut proven, mut honest, mut invented) = (0, 0, 0);
    let mut rng = rng();
    for _ in 0..1000 {
        let picked = book.pick(later(HOUR), &mut rng, |_| true).unwrap();
        let known = book.get(picked).unwrap();
        match (known.proven_at, known.source) {
            (Some(_), _) => proven += 1,
            (None, from) if from == Some(source(8)) => honest += 1,
            (None, _) => invented += 1,
        }
    }
    assert!(proven > 430 && honest > 200 && invented < 300, "{proven} {honest} {invented}");
}

#[test]
fn half_of_what_others_are_told_is_proven() {
    let mut book = AddrBook::new(false);
    for number in 0..200 {
        tell(&mut book, public(1000 + number, number), source(7));
    }
    for number in 0..4 {
        book.note_success(NOW, public(number, 1), Services::NONE);
    }
    book.note_failure(NOW, public(1000, 0));
    let told = book.good(later(HOUR), &mut rng(), 8);
    assert_eq!(told.len(), 8);
    assert_eq!(told.iter().filter(|known| known.is_proven()).count(), 4);
    assert_eq!(book.good(later(HOUR), &mut rng(), 1000).len(), 203);
}

#[test]
fn changes_are_told_once_and_make_the_same_book_elsewhere() {
    let mut book = AddrBook::new(false);
    for number in 0..5 {
        tell(&mut book, public(number, 1), source(9));
    }
    book.note_success(NOW, public(1, 1), Services::SHARE_HASHES);
    let first = book.take_changes();
    assert_eq!((first.changed.len(), first.removed.len()), (5, 0));
    assert_eq!(book.take_changes(), AddressChanges::default());
    book.forget(public(2, 1));
    book.note_try(later(9), public(3, 1));
    let second = book.take_changes();
    assert_eq!((second.changed.len(), second.removed.as_slice()), (1, &[public(2, 1)][..]));

    let mut loaded = AddrBook::new(false);
    for record in book.records() {
        loaded.load(later(60), record);
    }
    assert!(loaded.records().eq(book.records()));
    assert_eq!(loaded.take_changes(), AddressChanges::default());
}

#[test]
fn records_from_disk_are_input_like_any_other() {
    let record = AddressRecord {
        address: public(1, 1),
        services: Services::NONE,
        first_seen: UnixTime(u64::MAX),
        last_seen: UnixTime(u64::MAX),
        proven_at: Some(UnixTime(u64::MAX)),
        last_try: Some(UnixTime(u64::MAX)),
        failures: u32::MAX,
        source: None,
    };
    let mut book = AddrBook::new(false);
    book.load(NOW, &record);
    book.load(NOW, &AddressRecord { address: address("10.0.0.1:1"), ..record });
    assert_eq!(book.len(), 1);
    let known = book.get(public(1, 1)).unwrap();
    assert_eq!((known.first_seen, known.proven_at), (NOW, Some(NOW)));
    assert_eq!(book.pick(NOW, &mut rng(), |_| true), Some(public(1, 1)));
    book.note_failure(NOW, public(1, 1));
}

/// One thing that may happen to a book.
#[derive(Clone, Debug)]
enum Event {
    Tell { group: u16, host: u16, from: u16 },
    Success { group: u16, host: u16 },
    Failure { group: u16, host: u16 },
    Forget { group: u16, host: u16 },
}

fn events() -> impl Strategy<Value = Event> {
    let (group, host) = (0..6_u16, 0..60_u16);
    prop_oneof![
        8 => (group.clone(), host.clone(), 0..4_u16)
            .prop_map(|(group, host, from)| Event::Tell { group, host, from }),
        1 => (group.clone(), host.clone()).prop_map(|(group, host)| Event::Success { group, host }),
        2 => (group.clone(), host.clone()).prop_map(|(group, host)| Event::Failure { group, host }),
        1 => (group, host).prop_map(|(group, host)| Event::Forget { group, host }),
    ]
}

proptest! {
    #[test]
    fn bounds_and_counts_hold_whatever_happens(events in vec(events(), 0..600)) {
        let mut book = AddrBook::new(false);
        for event in events {
            match event {
                Event::Tell { group, host, from } => {
                    tell(&mut book, public(group, host), source(from));
                }
                Event::Success { group, host } => {
                    book.note_success(NOW, public(group, host), Services::NONE);
                }
                Event::Failure { group, host } => book.note_failure(NOW, public(group, host)),
                Event::Forget { group, host } => book.forget(public(group, host)),
            }
        }
        let mut told_by: BTreeMap<_, usize> = BTreeMap::new();
        let mut about: BTreeMap<_, usize> = BTreeMap::new();
        for known in book.records().filter(|known| !known.is_proven()) {
            *told_by.entry(known.source_group()).or_default() += 1;
            *about.entry(NetGroup::of(known.address.ip())).or_default() += 1;
        }
        prop_assert!(about.values().all(|count| *count <= GROUP_ADDRESSES_MAX));
        prop_assert_eq!(told_by, book.told_by);
    }

    #[test]
    fn a_few_liars_never_displace_what_others_told(
        // Not from where honest sources are.
        liars in vec(0..9000_u16, 1..4),
        lies in vec((any::<u16>(), any::<u16>(), any::<prop::sample::Index>()), 0..3000),
    ) {
        let honest: Vec<_> = (0..60_u16).map(|n| (public(n * 7, n), source(30_000 + n / 3))).collect();
        let mut book = AddrBook::new(false);
        for (at, from) in &honest[..30] {
            tell(&mut book, *at, *from);
        }
        for (group, host, liar) in lies {
            let from = source(*liar.get(&liars));
            tell(&mut book, public(group % 500, host), from);
        }
        for (at, from) in &honest[30..] {
            tell(&mut book, *at, *from);
        }
        let kept = honest.iter().filter(|(at, _)| book.get(*at).is_some()).count();
        prop_assert!(kept >= 58, "{} of 60", kept);
        prop_assert!(book.len() <= 60 + 3 * SOURCE_ADDRESSES_MAX);
    }
}
