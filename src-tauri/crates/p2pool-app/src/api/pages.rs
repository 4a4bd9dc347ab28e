//! What each page shows beside the sections that every page has, and what it may ask for.

mod connect;
mod miners;
pub mod payouts;
pub mod pool;
mod secret;
mod settings;
mod setup;

pub use connect::{
    ChangeStep, Connect, DeviceChange, DeviceFamily, DeviceOffer, DeviceProblem, DoorState,
    FOUND_MAX, FoundDevice, MinerAddress, NetworkChoice, PlanNote, PlanRow, PlanState, PlanSubject,
    PlanView, QrPicture, SearchState, SlotChoice,
};
pub use miners::{
    AddressChange, ChangeFate, ChangeRecord, CheckTest, CheckedPoint, CpuView, CpuWish,
    HEALTH_POINTS_MAX, HealthPoint, MINER_ROWS_MAX, MinerCheck, MinerPage, MinerRow, MinerState,
    MinersRequest, MinersView, RejectCount, RejectWords, SPARK_POINTS_MAX,
};
pub use secret::SecretText;
pub use settings::*;
pub use setup::*;
