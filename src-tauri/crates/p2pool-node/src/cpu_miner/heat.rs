//! How hot the processor is, where the system tells it: on Linux, in files of the kernel.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// Where Linux keeps the sensors.
const SENSORS: &str = "/sys/class";
/// Names of chips that measure processors.
const CHIPS: [&str; 5] = ["coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal"];
/// Kinds of zones that are processors.
const ZONES: [&str; 5] =
    ["x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc_thermal", "soc-thermal"];
/// More sensors than a computer has are not read.
const SENSORS_MAX: usize = 256;
/// What else a sensor says is nonsense.
const CELSIUS: std::ops::RangeInclusive<f64> = 1.0..=200.0;

/// The hottest part of the processor, in degrees Celsius; `None` where the system does not tell.
pub fn processor_celsius() -> Option<f64> {
    hottest(Path::new(SENSORS))
}

/// Waits until the processor is hotter than this; for ever without a limit, and where nobody tells.
pub(super) async fn above(limit_celsius: Option<u8>, every: Duration) -> f64 {
    let Some(limit) = limit_celsius else { return std::future::pending().await };
    loop {
        // Memory of the kernel, not a disk: reading it does not block.
        match processor_celsius() {
            Some(celsius) if celsius > f64::from(limit) => return celsius,
            Some(_) => tokio::time::sleep(every).await,
            None => return std::future::pending().await,
        }
    }
}

fn hottest(sensors: &Path) -> Option<f64> {
    let chips = files(&sensors.join("hwmon"));
    let chips = chips.iter().filter(|chip| is_one_of(&chip.join("name"), &CHIPS));
    let inputs = chips.flat_map(|chip| files(chip)).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("temp") && name.ends_with("_input")
    });
    let zones = files(&sensors.join("thermal"));
    let zones = zones.iter().filter(|zone| is_one_of(&zone.join("type"), &ZONES));
    let zones = zones.map(|zone| zone.join("temp"));
    inputs.chain(zones).filter_map(|path| celsius(&path)).reduce(f64::max)
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().take(SENSORS_MAX);
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn is_one_of(file: &Path, names: &[&str]) -> bool {
    fs::read_to_string(file).is_ok_and(|name| names.contains(&name.trim()))
}

/// The kernel counts in thousandths.
fn celsius(file: &Path) -> Option<f64> {
    let millidegrees: i32 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    Some(f64::from(millidegrees) / 1000.0).filter(|celsius| CELSIUS.contains(celsius))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn hottest_processor_counts_and_other_sensors_do_not() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(hottest(dir.path()), None);
        write(dir.path(), "hwmon/hwmon0/name", "nvme\n");
        write(dir.path(), "hwmon/hwmon0/temp1_input", "99000\n");
        write(dir.path(), "thermal/thermal_zone0/type", "iwlwifi_1\n");
        write(dir.path(), "thermal/thermal_zone0/temp", "98000\n");
        assert_eq!(hottest(dir.path()), None);
        write(dir.path(), "hwmon/hwmon1/name", "coretemp\n");
        write(dir.path(), "hwmon/hwmon1/temp1_input", "61000\n");
        write(dir.path(), "hwmon/hwmon1/temp2_input", "63500\n");
        write(dir.path(), "hwmon/hwmon1/temp2_crit", "100000\n");
        assert_eq!(hottest(dir.path()), Some(63.5));
        write(dir.path(), "thermal/thermal_zone1/type", "x86_pkg_temp\n");
        write(dir.path(), "thermal/thermal_zone1/temp", "64000\n");
        assert_eq!(hottest(dir.path()), Some(64.0));
    }

    #[test]
    fn nonsense_is_no_temperature() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "hwmon/hwmon1/name", "k10temp");
        for text in ["", "hot", "-273000", "0", "999000000", "63.5"] {
            write(dir.path(), "hwmon/hwmon1/temp1_input", text);
            assert_eq!(hottest(dir.path()), None, "{text}");
        }
    }
}
