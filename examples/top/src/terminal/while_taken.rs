use std::io::{self, Write};

use super::is_taken;

/// Writes only while the terminal is taken. What comes later is dropped: it would be drawn over the shell's
/// screen, and over what a panic says there.
#[derive(Debug)]
pub(super) struct WhileTaken<W>(pub(super) W);

impl<W: Write> Write for WhileTaken<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The terminal is given back under this lock.
        let _lock = io::stdout().lock();
        if is_taken() { self.0.write(bytes) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use ratatui::backend::{Backend, CrosstermBackend};
    use ratatui::buffer::Cell;

    use super::super::IS_TAKEN;
    use super::*;

    #[test]
    fn nothing_is_drawn_on_the_screen_of_the_shell() {
        let mut drawn = Vec::new();
        let mut backend = CrosstermBackend::new(WhileTaken(&mut drawn));
        let cell = Cell::new("x");
        for is_taken in [true, false] {
            IS_TAKEN.store(is_taken, Ordering::SeqCst);
            backend.draw([(0, 0, &cell)].into_iter()).unwrap();
            backend.show_cursor().unwrap();
            Backend::flush(&mut backend).unwrap();
        }
        let drawn = String::from_utf8(drawn).unwrap();
        assert_eq!(drawn.matches('x').count(), 1, "{drawn:?}");
        assert_eq!(drawn.matches("\u{1b}[?25h").count(), 1, "{drawn:?}");
    }
}
