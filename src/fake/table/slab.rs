/// The place of a value in a [`Slab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::fake) struct Slot(u32);

/// Values with stable places.
#[derive(Debug)]
pub(in crate::fake) struct Slab<T> {
    values: Vec<Option<T>>,
    free: Vec<Slot>,
}

impl<T> Slab<T> {
    pub(in crate::fake) const fn new() -> Self {
        Self { values: Vec::new(), free: Vec::new() }
    }

    pub(in crate::fake) fn insert(&mut self, value: T) -> Slot {
        if let Some(slot) = self.free.pop() {
            if let Some(place) = self.values.get_mut(slot.index()) {
                *place = Some(value);
                return slot;
            }
        }
        let slot = Slot(u32::try_from(self.values.len()).unwrap_or(u32::MAX));
        self.values.push(Some(value));
        slot
    }

    pub(in crate::fake) fn remove(&mut self, slot: Slot) -> Option<T> {
        let value = self.values.get_mut(slot.index())?.take()?;
        self.free.push(slot);
        Some(value)
    }

    pub(in crate::fake) fn get(&self, slot: Slot) -> Option<&T> {
        self.values.get(slot.index())?.as_ref()
    }

    pub(in crate::fake) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.values.get_mut(slot.index())?.as_mut()
    }

    pub(in crate::fake) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut().flatten()
    }
}

impl Slot {
    const fn index(self) -> usize {
        self.0 as usize
    }
}
