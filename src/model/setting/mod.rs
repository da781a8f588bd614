//! The settings `net.ipv4.vs.*` of a network namespace: names, facts, values.

mod facts;
mod invalid;
mod known;
mod name;
mod range;
mod settings;
mod value;

pub use invalid::InvalidSetting;
pub use known::{KnownSetting, SettingDefault, SettingWritable};
pub use name::Setting;
pub use range::SettingRange;
pub use settings::Settings;
pub use value::SettingValue;
