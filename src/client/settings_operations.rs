/// Defines the operations of a client on declared timeouts and settings, with documentation, once for
/// all clients. The parameters are those of `reading_operations`.
macro_rules! settings_operations {
    ($client:ty, { $($async:tt)? }, $wait:ident) => {
        /// Timeouts and settings `net.ipv4.vs.*` that a table declares.
        impl $client {
            /// Compares the timeouts and settings that `table` declares with the kernel's. Reads timeouts
            /// only if the table declares one, and settings likewise.
            ///
            /// The files of settings are read on the calling thread, on which the kernel answers at once.
            /// The plan is not [to be written](crate::table::SettingsPlan::to_be_written).
            ///
            #[doc = example!({ $($async)? } r#"
use ipvs_netlink::table::Table;
use ipvs_netlink::{Setting, Settings};

let mut table = Table::new();
table.set_settings(Settings::new().with(Setting::CONNTRACK, true));
let plan = ipvs.settings_plan(&table)"# await r#"?.to_be_written(true);
let told = ipvs.write_settings(&plan)"# await r#";
for change in told.written() {
    println!("written: {change}");
}
for error in told.errors() {
    eprintln!("{error}");
}"#)]
            ///
            /// # Errors
            ///
            /// - [`Invalid`](crate::SettingsError::Invalid): a declared value breaks a rule.
            /// - [`Timeouts`](crate::SettingsError::Timeouts): the timeouts cannot be read.
            /// - [`Settings`](crate::SettingsError::Settings): the files cannot be read. A fake kernel
            ///   has none.
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn settings_plan(
                &mut self,
                table: &$crate::table::Table,
            ) -> ::std::result::Result<$crate::table::SettingsPlan, $crate::client::settings::SettingsError> {
                let files = self.procfs();
                $wait!($crate::client::settings::compare(&mut self.engine, &files, table))
            }

            /// Writes the timeouts and settings of a plan that is
            /// [to be written](crate::table::SettingsPlan::to_be_written), reads them again and tells what
            /// became of each. Writes nothing of another plan.
            ///
            /// Settings come first, and then the three timeouts in one request. The kernel has no
            /// transaction: part may be written when something fails. If a setting fails, timeouts are
            /// written all the same, unless the plan has
            /// [`OnFailure::Stop`](crate::table::OnFailure::Stop). So there may be an error of each.
            ///
            /// The files of settings are written on the calling thread. The kernel applies a value while
            /// it is written. Takes root of the user namespace that owns the network namespace.
            $(#[doc = cancel_safety!($async settings)])?
            pub $($async)? fn write_settings(
                &mut self,
                plan: &$crate::table::SettingsPlan,
            ) -> $crate::client::settings::WrittenSettings {
                let files = self.procfs();
                $wait!($crate::client::settings::write(&mut self.engine, &files, plan))
            }
        }
    };
}
pub(crate) use settings_operations;
