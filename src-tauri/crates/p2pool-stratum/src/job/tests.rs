use super::*;

fn template(max_time: Option<u32>) -> BlockTemplate {
    use bitcoin::BlockHash;

    BlockTemplate {
        version: 0,
        previous_block: BlockHash::all_zeros(),
        transactions: Vec::new(),
        coinbase_value_sats: 0,
        coinbase_aux: Vec::new(),
        bits: p2pool_sharechain::CompactBits(0x1d00_ffff),
        current_time: 1000,
        min_time: 500,
        max_time,
        height: 1,
        weight_limit: 0,
        sigop_limit: 0,
    }
}

#[test]
fn time_goes_on_with_the_age_of_the_template() {
    let window = TimeWindow::new(&template(None), Duration::from_millis(7_900), UnixTime(0));
    assert_eq!(window.start(), 1007);
    assert!(window.allows(500) && window.allows(8007));
    assert!(!window.allows(499) && !window.allows(8008));
}

#[test]
fn time_handed_out_never_passes_the_limit_of_the_template() {
    let window = TimeWindow::new(&template(Some(1005)), Duration::from_secs(60), UnixTime(5000));
    assert_eq!(window.start(), 1005);
    assert!(window.allows(1005) && !window.allows(1006));
}

#[test]
fn own_clock_helps_with_old_templates_and_is_not_trusted_far() {
    let start = |wall| TimeWindow::new(&template(None), Duration::ZERO, UnixTime(wall)).start();
    assert_eq!(start(1540), 1540);
    assert_eq!(start(40), 1000);
    assert_eq!(start(1_000_000), 4600);
    let window = TimeWindow::new(&template(None), Duration::ZERO, UnixTime(1_000_000));
    assert!(!window.allows(8001), "limits do not follow it");
}

#[test]
fn limits_that_contradict_each_other_do_not_panic() {
    let mut odd = template(Some(100));
    assert_eq!(TimeWindow::new(&odd, Duration::ZERO, UnixTime(0)).start(), 100);
    odd.current_time = u32::MAX;
    odd.max_time = None;
    assert_eq!(TimeWindow::new(&odd, Duration::MAX, UnixTime(u64::MAX)).start(), u32::MAX);
}
