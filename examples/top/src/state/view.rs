use serde::{Deserialize, Serialize};

use crate::state::{Column, Filter};

/// What the program remembers of the overview between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The column by which services are sorted.
    pub column: Column,
    /// Whether the largest value comes first.
    pub descending: bool,
    /// Which services are shown.
    pub filter: Filter,
}

impl Default for View {
    fn default() -> Self {
        let column = Column::default();
        Self { column, descending: column.descends(), filter: Filter::default() }
    }
}

/// The form of the file.
#[derive(Serialize, Deserialize)]
struct Written {
    sort: Column,
    descending: bool,
    filter: String,
}

impl View {
    /// Chooses the column beside the present one.
    pub fn turn(&mut self, right: bool) {
        self.column = self.column.beside(right);
        self.descending = self.column.descends();
    }

    /// Reads what was remembered. Returns `None` if this is not what [`to_text`](Self::to_text)
    /// writes.
    #[must_use]
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let Written { sort, descending, filter } = serde_json::from_slice(text).ok()?;
        Some(Self { column: sort, descending, filter: Filter::new(&filter) })
    }

    /// Writes what is to be remembered.
    #[must_use]
    pub fn to_text(&self) -> Vec<u8> {
        let written = Written {
            sort: self.column,
            descending: self.descending,
            filter: self.filter.text().to_owned(),
        };
        let mut text = serde_json::to_vec(&written).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_view_is_read_as_it_was_written(
            at in 0..Column::ALL.len(), descending: bool, filter in "\\PC{0,150}",
        ) {
            let view =
                View { column: Column::ALL[at], descending, filter: Filter::new(&filter) };
            prop_assert_eq!(View::of_text(&view.to_text()), Some(view));
        }

        #[test]
        fn any_bytes_are_a_view_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = View::of_text(&bytes);
        }

        #[test]
        fn a_hostile_filter_is_cleaned(filter in any::<String>()) {
            let text = serde_json::json!({"sort": "dead", "descending": true, "filter": filter});
            let view = View::of_text(text.to_string().as_bytes()).unwrap();
            prop_assert!(view.filter.text().chars().all(crate::manners::is_harmless));
        }
    }
}
