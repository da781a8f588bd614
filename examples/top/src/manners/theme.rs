use ratatui::style::{Color, Modifier, Style};

/// Which colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colors {
    /// Colours that are readable on a dark background.
    #[default]
    Dark,
    /// Colours that are readable on a light background.
    Light,
    /// No colours: bold, reversed and dim text only.
    None,
}

impl Colors {
    /// Chooses by the environment: `NO_COLOR` that is not empty, a terminal `dumb`, and the
    /// background that terminals name in `COLORFGBG` as its last number.
    #[must_use]
    pub fn of_environment(
        no_color: Option<&str>,
        term: Option<&str>,
        colorfgbg: Option<&str>,
    ) -> Self {
        if no_color.is_some_and(|it| !it.is_empty()) || matches!(term, None | Some("" | "dumb")) {
            return Self::None;
        }
        match colorfgbg.and_then(|it| it.rsplit(';').next()) {
            Some("7" | "15") => Self::Light,
            _ => Self::Dark,
        }
    }
}

/// The styles of everything on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    colors: Colors,
}

impl Theme {
    /// Creates the theme of these colours.
    #[must_use]
    pub const fn new(colors: Colors) -> Self {
        Self { colors }
    }

    fn colored(self, dark: Color, light: Color, without: Modifier) -> Style {
        match self.colors {
            Colors::Dark => Style::new().fg(dark),
            Colors::Light => Style::new().fg(light),
            Colors::None => Style::new().add_modifier(without),
        }
    }

    /// Plain text, in the terminal's own colours.
    #[must_use]
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// The first line of a screen, and names that matter.
    #[must_use]
    pub fn title(self) -> Style {
        self.colored(Color::Cyan, Color::Blue, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    /// The names of columns.
    #[must_use]
    pub fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The row that keys act on.
    #[must_use]
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// What is as it should be.
    #[must_use]
    pub fn good(self) -> Style {
        self.colored(Color::Green, Color::Green, Modifier::empty())
    }

    /// What may need a look.
    #[must_use]
    pub fn warning(self) -> Style {
        self.colored(Color::Yellow, Color::Magenta, Modifier::BOLD)
    }

    /// What is broken.
    #[must_use]
    pub fn bad(self) -> Style {
        self.colored(Color::LightRed, Color::Red, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    /// What is less important.
    #[must_use]
    pub fn faint(self) -> Style {
        self.colored(Color::DarkGray, Color::DarkGray, Modifier::DIM)
    }

    /// What has changed since the last look.
    #[must_use]
    pub fn changed(self) -> Style {
        self.colored(Color::LightYellow, Color::Magenta, Modifier::BOLD)
            .add_modifier(Modifier::BOLD)
    }

    /// Bars.
    #[must_use]
    pub fn bar(self) -> Style {
        self.colored(Color::Cyan, Color::Blue, Modifier::empty())
    }

    /// Keys in the lines that explain them.
    #[must_use]
    pub fn key(self) -> Style {
        self.colored(Color::Cyan, Color::Blue, Modifier::BOLD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_chooses() {
        let of = Colors::of_environment;
        assert_eq!(of(None, Some("xterm"), None), Colors::Dark);
        assert_eq!(of(Some(""), Some("xterm"), None), Colors::Dark);
        assert_eq!(of(Some("1"), Some("xterm"), Some("0;15")), Colors::None);
        assert_eq!(of(None, Some("xterm"), Some("0;15")), Colors::Light);
        assert_eq!(of(None, Some("xterm"), Some("0;default;7")), Colors::Light);
        assert_eq!(of(None, Some("xterm"), Some("15;0")), Colors::Dark);
        assert_eq!(of(None, Some("dumb"), None), Colors::None);
        assert_eq!(of(None, None, None), Colors::None);
    }

    #[test]
    fn without_colours_no_style_has_one() {
        let theme = Theme::new(Colors::None);
        for style in [
            theme.plain(),
            theme.title(),
            theme.heading(),
            theme.selected(),
            theme.good(),
            theme.warning(),
            theme.bad(),
            theme.faint(),
            theme.changed(),
            theme.bar(),
            theme.key(),
        ] {
            assert_eq!((style.fg, style.bg), (None, None), "{style:?}");
        }
    }
}
