//! Requests that wait for something, and go on as soon as it is here.
//!
//! As `wasm_bindgen_futures::future_to_promise`, but without its microtasks: that polls a request a second time before
//! anything can have happened, and then each time one microtask after something has.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use wasm_bindgen::JsValue;
use web_sys::Response;

use crate::rim::Deferred;

type Work = Pin<Box<dyn Future<Output = Response>>>;

#[derive(Default)]
struct Tasks {
    last: u32,
    /// Work that waits, and what was promised of it.
    waiting: BTreeMap<u32, (Work, Deferred)>,
    /// Who is to be polled next.
    woken: VecDeque<u32>,
    /// One is being polled: others have to wait until it is done with what it borrows. Where the platform ends a poll by
    /// force, as over its limit of CPU time, they wait until the next request.
    polling: bool,
}

thread_local! {
    static TASKS: RefCell<Tasks> = RefCell::default();
}

fn tasks<T>(act: impl FnOnce(&mut Tasks) -> T) -> T {
    TASKS.with_borrow_mut(act)
}

/// The answer, if the work for it waits for nothing; else the promise of it.
pub(crate) fn answer(work: impl Future<Output = Response> + 'static) -> JsValue {
    let mut work: Work = Box::pin(work);
    let number = tasks(|tasks| {
        tasks.last = tasks.last.wrapping_add(1);
        tasks.last
    });
    let answered = match poll(number, &mut work) {
        Poll::Ready(response) => response.into(),
        Poll::Pending => {
            let deferred = Deferred::new();
            let promise = deferred.promise();
            tasks(|tasks| tasks.waiting.insert(number, (work, deferred)));
            promise.into()
        }
    };
    run();
    answered
}

/// Polls who was woken, until nobody is left.
fn run() {
    while let Some(number) = tasks(|tasks| tasks.woken.pop_front()) {
        let Some((mut work, deferred)) = tasks(|tasks| tasks.waiting.remove(&number)) else { continue };
        match poll(number, &mut work) {
            Poll::Ready(response) => deferred.resolve(&response),
            Poll::Pending => tasks(|tasks| drop(tasks.waiting.insert(number, (work, deferred)))),
        }
    }
}

fn poll(number: u32, work: &mut Work) -> Poll<Response> {
    let waker = Waker::from(Arc::new(Woken(number)));
    tasks(|tasks| tasks.polling = true);
    let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
    tasks(|tasks| tasks.polling = false);
    polled
}

/// Wakes the work of this number.
struct Woken(u32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let may_run = tasks(|tasks| {
            tasks.woken.push_back(self.0);
            !tasks.polling
        });
        if may_run {
            run();
        }
    }
}
