//! What a device of the AxeOS family may say of itself, and the plan that is made of it.

use p2pool_devices::{
    ANSWER_BYTES_MAX, DEVICE_TEXT_CHARS_MAX, DeviceAddress, DeviceText, Document, Health, Info,
    Reach, Reading, Row, Target, Wishes, plan_change,
};

/// More lines than any honest change has.
const ROWS_MAX: usize = 32;

/// Reads a device's document, its figures, and the plan of a change.
///
/// # Panics
/// Where a text is longer than the window can show, a figure is none, or the same document gives
/// two plans.
pub fn axeos_info(data: &[u8]) {
    // The client reads no further.
    let data = data.get(..ANSWER_BYTES_MAX).unwrap_or(data);
    let Ok(info) = Info::parse(data) else { return };
    assert_eq!(info.raw().as_bytes(), data, "the backup keeps every byte");
    check_figures(&Health::of_info(&info));
    let address = DeviceAddress::new([192, 168, 1, 57].into(), Reach::Private);
    let identity = info.identity(address.expect("the address is private"));
    [&identity.model, &identity.firmware].into_iter().for_each(check_text);
    let reading = Reading { identity, document: Document::Info(info) };
    for tries_other_way in [false, true] {
        let wishes = Wishes { tries_other_way, ..Wishes::usual(target()) };
        let plan = plan_change(&reading, &wishes);
        assert_eq!(plan, plan_change(&reading, &wishes), "the same document, the same plan");
        let Ok(plan) = plan else { continue };
        assert!(plan.rows.len() <= ROWS_MAX, "{} rows", plan.rows.len());
        assert!(plan.rows.iter().any(changes), "a plan changes something");
        for row in &plan.rows {
            check_text(&row.now);
            check_text(&row.then);
        }
    }
}

fn target() -> Target {
    let port = 9332.try_into().expect("not zero");
    Target::new([192, 168, 1, 20].into(), port, "bc1qexample.bitaxe1").expect("a good target")
}

fn changes(row: &Row) -> bool {
    row.now != row.then
}

fn check_text(text: &DeviceText) {
    let text = text.as_str();
    assert!(text.chars().count() <= DEVICE_TEXT_CHARS_MAX, "{} characters", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

fn check_figures(health: &Health) {
    let figures = [
        health.hashrate_hps,
        health.expected_hashrate_hps,
        health.temperature_celsius,
        health.power_watts,
        health.best_difficulty,
        health.own_part,
        health.accepted,
        health.rejected,
    ];
    for figure in figures.into_iter().flatten() {
        assert!(figure.is_finite() && figure >= 0.0, "{figure}");
    }
    [&health.pool, &health.user].into_iter().flatten().for_each(check_text);
}
