//! What is counted, for whom, and what charts get of it.

use p2pool_stratum::RejectReason;

use super::*;

const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 57));

struct Counting {
    stats: Stats,
    snapshot: watch::Receiver<Arc<MinersSnapshot>>,
    stored: mpsc::Receiver<StoreCommand>,
    _counts: mpsc::Sender<Count>,
}

fn counting() -> Counting {
    let (sender, counts) = mpsc::channel(1);
    let (publisher, snapshot) = watch::channel(Arc::default());
    let (events, _) = broadcast::channel(8);
    let (store, stored) = mpsc::channel(8);
    let stats = Stats::new(Clock::start(), counts, publisher, events, store);
    Counting { stats, snapshot, stored, _counts: sender }
}

fn at(seconds: u64) -> Now {
    Now { wall: UnixTime(1_700_000_040 + seconds), mono: MonoTime(Duration::from_secs(seconds)) }
}

fn joined(worker: &str) -> Count {
    Count::Joined(Joined {
        worker: worker.to_owned(),
        user_agent: "bitaxe/BM1370/v2.14.0".to_owned(),
        is_helper: false,
        ip: Some(IP),
        notices: Vec::new(),
    })
}

fn results(worker: &str, accepted: u32, rejected: u32) -> Count {
    Count::Results(Results {
        worker: worker.to_owned(),
        ip: Some(IP),
        accepted,
        rejected,
        work: f64::from(accepted) * 512.0,
        reasons: vec![(RejectReason::UnknownJob, rejected)],
        ..Results::default()
    })
}

#[test]
fn every_name_has_its_own_line_in_the_charts() {
    let mut world = counting();
    for second in 0..=60 {
        if second == 1 {
            world.stats.take(at(second), joined("a"));
            world.stats.take(at(second), joined("b"));
            world.stats.take(at(second), results("a", 2, 0));
        }
        world.stats.publish(at(second));
    }
    let StoreCommand::Series(points) = world.stored.try_recv().unwrap() else { panic!() };
    let lines: Vec<_> = points.iter().map(|p| (p.name.as_str(), p.subject.as_str())).collect();
    assert_eq!(lines, [("hashrate", ""), ("late", ""), ("hashrate", "a"), ("hashrate", "b")],);
    assert!(points[2].avg > 0.0 && points[2].max >= points[2].avg);
    assert_eq!((points[0].avg, points[3].avg), (points[2].avg, 0.0));
    assert!(world.stored.try_recv().is_err(), "one point a minute");
}

#[test]
fn what_comes_from_an_address_is_counted_under_all_its_names() {
    let mut world = counting();
    for count in [joined("a"), results("a", 3, 0), joined("b"), results("b", 1, 2)] {
        world.stats.take(at(1), count);
    }
    world.stats.publish(at(1));
    let snapshot = world.snapshot.borrow().clone();
    assert_eq!(snapshot.arrivals[&IP], Arrivals { logins: 2, results: 4 });
}

#[test]
fn refusals_are_counted_by_reason_and_difficulty_is_the_newest() {
    let mut world = counting();
    for count in [joined("a"), results("a", 3, 2), results("a", 1, 1)] {
        world.stats.take(at(1), count);
    }
    world.stats.publish(at(1));
    let snapshot = world.snapshot.borrow().clone();
    let miner = &snapshot.miners[0];
    assert_eq!(miner.reasons.iter().collect::<Vec<_>>(), [(&"Job not found", &3)]);
    assert_eq!((miner.rejected, miner.difficulty), (3, Some(512.0)));
}

#[test]
fn results_count_for_the_address_that_they_came_from_whatever_its_name() {
    let mut world = counting();
    let other = IpAddr::from([192, 168, 1, 58]);
    for ip in [IP, other] {
        let Count::Joined(joined) = joined("same") else { panic!() };
        world.stats.take(at(0), Count::Joined(Joined { ip: Some(ip), ..joined }));
    }
    world.stats.take(at(1), results("same", 3, 1));
    world.stats.publish(at(2));
    let arrivals = world.snapshot.borrow().arrivals.clone();
    assert_eq!(arrivals[&IP], Arrivals { logins: 1, results: 3 });
    assert_eq!(arrivals[&other], Arrivals { logins: 1, results: 0 });
}
