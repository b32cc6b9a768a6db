//! What may run, counted naively.

use crate::limit::window::Window;

/// Counts what ran, knowing nothing of leases: since each fixed window opened, and for GCRA every request.
pub(super) struct Judge {
    pub(super) windows: Vec<Window>,
    opened: Vec<Option<u64>>,
    ran: Vec<u64>,
    log: Vec<(u64, u64)>,
}

impl Judge {
    pub(super) fn new(windows: &[Window]) -> Self {
        let (opened, ran) = (vec![None; windows.len()], vec![0; windows.len()]);
        Self { windows: windows.to_vec(), opened, ran, log: vec![] }
    }

    pub(super) fn granted(&mut self, elapsed: u64) {
        for (at, window) in self.windows.iter().enumerate() {
            if self.opened[at].is_none_or(|opened| elapsed >= opened + window.period_ms()) {
                self.opened[at] = Some(elapsed);
                self.ran[at] = 0;
            }
        }
    }

    pub(super) fn ran(&mut self, now: u64, cost: u32) {
        self.log.push((now, cost.into()));
        for (ran, window) in self.ran.iter_mut().zip(&self.windows) {
            *ran += u64::from(cost);
            assert!(window.burst.is_some() || *ran <= window.quota.into(), "{ran} in {window:?}");
        }
    }

    pub(super) fn reset(&mut self) {
        self.judge_bursts();
        self.log.clear();
        self.opened.fill(None);
    }

    /// Every stretch from one request to another.
    pub(super) fn judge_bursts(&self) {
        for window in self.windows.iter().filter(|window| window.burst.is_some()) {
            let most = |ms: u64| {
                u64::from(window.burst.unwrap()) * window.period_ms() + ms * u64::from(window.quota)
            };
            for from in 0..self.log.len() {
                let mut sum = 0;
                for (at, cost) in &self.log[from..] {
                    sum += cost;
                    assert!(sum * window.period_ms() <= most(at - self.log[from].0), "{sum} in {window:?}");
                }
            }
        }
    }

    /// What is left of a fixed window.
    pub(super) fn left(&self, at: usize, elapsed: u64) -> u64 {
        let open = self.opened[at].is_some_and(|opened| elapsed < opened + self.windows[at].period_ms());
        u64::from(self.windows[at].quota) - if open { self.ran[at] } else { 0 }
    }
}
