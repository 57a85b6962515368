//! How many associations there are, in all and of each sender.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Refusal;

/// The associations that there may be.
#[derive(Debug)]
pub(crate) struct Seats {
    most: usize,
    most_of_one: usize,
    taken: Mutex<Taken>,
}

/// The associations that there are.
#[derive(Debug, Default)]
struct Taken {
    count: usize,
    of_each: HashMap<String, usize>,
}

/// A place among the associations, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    sender: String,
}

impl Seats {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        let taken = Mutex::default();
        Self {
            most,
            most_of_one,
            taken,
        }
    }

    /// Takes a seat for a sender, who has been admitted: names of strangers are never kept.
    pub(crate) fn take(self: &Arc<Self>, sender: &str) -> Result<Seat, Refusal> {
        let mut taken = self.taken();
        let own = taken.of_each.get(sender).copied().unwrap_or_default();
        if taken.count >= self.most || own >= self.most_of_one {
            return Err(Refusal::LimitReached);
        }
        taken.count += 1;
        taken.of_each.insert(sender.to_owned(), own + 1);
        Ok(Seat {
            seats: Arc::clone(self),
            sender: sender.to_owned(),
        })
    }

    /// The counts; nothing panics while they are held.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.count = taken.count.saturating_sub(1);
        if let Some(own) = taken.of_each.get_mut(&self.sender) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.of_each.remove(&self.sender);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_limited_in_all_and_for_each_and_come_back() {
        let seats = Arc::new(Seats::new(3, 2));
        let first = seats.take("A").unwrap();
        let _second = seats.take("A").unwrap();
        assert_eq!(seats.take("A").unwrap_err(), Refusal::LimitReached);
        let _third = seats.take("B").unwrap();
        assert_eq!(seats.take("C").unwrap_err(), Refusal::LimitReached);
        drop(first);
        let _again = seats.take("A").unwrap();
        assert_eq!(seats.taken().of_each.len(), 2);
    }
}
