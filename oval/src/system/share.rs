//! Memory that all evaluations on a system share: a document is evaluated as often as rules hand other values to it.

use std::cell::Cell;
use std::rc::Rc;

/// What one evaluation has taken of it, in bytes; given back when the evaluation is gone.
pub(crate) struct Share {
    all: Rc<Cell<usize>>,
    own: Cell<usize>,
}

impl Share {
    /// Nothing taken yet; `all` is what all have taken.
    pub fn of(all: &Rc<Cell<usize>>) -> Share {
        Share { all: Rc::clone(all), own: Cell::new(0) }
    }

    /// What all have taken.
    pub fn get(&self) -> usize {
        self.all.get()
    }

    /// Takes more, or gives back: all have taken this then.
    pub fn set(&self, all: usize) {
        self.own.set((self.own.get() + all).saturating_sub(self.all.get()));
        self.all.set(all);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.set(self.all.get().saturating_sub(self.own.get()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_given_back() {
        let all = Rc::new(Cell::new(0));
        let one = Share::of(&all);
        one.set(one.get() + 5);
        {
            let other = Share::of(&all);
            other.set(other.get() + 7);
            other.set(other.get() - 2);
            assert_eq!((one.get(), other.get()), (10, 10));
        }
        assert_eq!(one.get(), 5);
        drop(one);
        assert_eq!(all.get(), 0);
    }
}
