//! Tests that each run ends once and starts one next run, even if messages of the run are received at the same time,
//! several times, or from several schedules.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use payments::Timestamp;
use payments::ports::{Daily, Part, ProgressStore, Run, StoreError};
use payments::service::daily_run::{DailyRuns, Worked};

use crate::builders::project;
use crate::fakes::behaviour::Behaviour;
use crate::fakes::clock::TestClock;
use crate::fakes::records::PlatformRecords;
use crate::fakes::system::TestSystem;
use crate::system::{in_five_minutes, on};

/// Lets the work on other messages continue before each access to the store and after each write.
#[derive(Clone)]
struct Interleaved;

impl Behaviour for Interleaved {
    async fn before_store(&self) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn after_write(&self) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

#[derive(Clone)]
struct Message {
    id: String,
    run: Run,
    part: Part,
}

/// The reconcile function with its queue.
struct Function {
    system: TestSystem<Interleaved, PlatformRecords>,
    queue: Vec<Message>,
    sent: usize,
    /// The task and the start of the interval of each run that ended.
    ended: Vec<(Daily, Timestamp)>,
}

impl Function {
    /// Creates the function. All comparisons up to the time `compared_until` are done.
    async fn at(now: &str, compared_until: &str) -> Self {
        let clock = TestClock::new(0);
        clock.set(on(now));
        let system = TestSystem::new(Interleaved, clock, &[|_| true], PlatformRecords::default());
        let store = &system.payments.store;
        let done = store.advance(project(), Daily::Compare, on(compared_until));
        done.await.unwrap();
        Self {
            system,
            queue: Vec::new(),
            sent: 0,
            ended: Vec::new(),
        }
    }

    fn send(&mut self, run: &Run, parts: Vec<Part>) {
        for part in parts {
            self.sent += 1;
            self.queue.push(Message {
                id: self.sent.to_string(),
                run: run.clone(),
                part,
            });
        }
    }

    async fn schedule(&mut self, daily: Daily) -> Run {
        let run = self.system.payments.due_run(project(), daily);
        let run = run.await.unwrap().unwrap();
        let parts = self.system.payments.open_parts(&run).await.unwrap();
        self.send(&run, parts);
        run
    }

    async fn work(&self, message: &Message) -> Worked {
        let runs = DailyRuns {
            payments: &self.system.payments,
            data_api: Some(&self.system.platform),
            pace: Duration::ZERO,
        };
        let Message { id, run, part } = message;
        runs.work(run, part, id, in_five_minutes()).await.unwrap()
    }

    /// Receives all messages at the same time. Sends the parts that follow.
    async fn receive(&mut self) {
        let messages = std::mem::take(&mut self.queue);
        let this = &*self;
        let works = messages.iter().map(|message| this.work(message));
        let works = join_all(works).await;
        for (Message { run, .. }, worked) in messages.iter().zip(works) {
            self.send(run, worked.next);
            if worked.ended.is_some() {
                self.end(run).await;
            }
        }
    }

    async fn end(&mut self, run: &Run) {
        self.ended.push((run.daily, run.from));
        let payments = &self.system.payments;
        if let Some(next) = payments.next_run(run).await.unwrap() {
            let parts = self.system.payments.open_parts(&next).await.unwrap();
            self.send(&next, parts);
        }
        self.system.payments.close(run).await.unwrap();
    }

    async fn receive_all(&mut self) {
        while !self.queue.is_empty() {
            self.receive().await;
        }
    }

    /// Returns the days of the runs that ended, as days of November.
    fn days(&self, daily: Daily) -> Vec<u64> {
        let ended = self.ended.iter().filter(|(task, _)| *task == daily);
        let day = |from: &Timestamp| from.since(on("01T00:00:00")).as_secs() / 86_400 + 1;
        ended.map(|(_, from)| day(from)).collect()
    }
}

#[tokio::test]
async fn each_run_of_a_catch_up_ends_once_and_each_part_is_sent_once() {
    let mut function = Function::at("22T12:00:00", "10T00:00:00").await;
    function.schedule(Daily::Compare).await;
    function.receive_all().await;
    assert_eq!(
        function.days(Daily::Compare),
        (10..22).collect::<Vec<u64>>()
    );
    // Each day has 26 lists and one part after the lists.
    assert_eq!(function.sent, 12 * 27);
}

#[tokio::test]
async fn schedules_at_the_same_time_and_during_a_run_share_the_runs() {
    let mut function = Function::at("22T12:00:00", "18T00:00:00").await;
    for daily in [Daily::Compare, Daily::Report] {
        let run = function.schedule(daily).await;
        for _ in 0..2 {
            assert_eq!(function.schedule(daily).await, run);
        }
    }
    function.receive().await;
    function.schedule(Daily::Compare).await;
    function.receive_all().await;
    assert_eq!(function.days(Daily::Compare), [18, 19, 20, 21]);
    assert_eq!(function.days(Daily::Report), [21]);
    // In the first comparison, each list is sent three times, and the part after the lists twice. In each of the three
    // next comparisons, each part is sent once. The only part of the report is sent three times.
    assert_eq!(function.sent, 3 * 26 + 2 + 3 * 27 + 3);
    let mut runs = BTreeMap::<String, usize>::new();
    for (id, shard, key) in function.system.tables().runs.keys() {
        *runs.entry(id.clone()).or_default() +=
            usize::from(shard.is_none() && key.starts_with("part#"));
    }
    assert_eq!(
        runs.into_values().collect::<Vec<_>>(),
        [27, 27, 27, 27, 1],
        "parts with a result"
    );
}

#[tokio::test]
async fn only_the_message_that_claimed_the_end_repeats_it_until_the_run_is_closed() {
    let mut function = Function::at("22T12:00:00", "21T00:00:00").await;
    let run = function.schedule(Daily::Compare).await;
    function.receive().await;
    let rest = function.queue.remove(0);
    let other = Message {
        id: "other".into(),
        ..rest.clone()
    };
    let ended = function.work(&rest).await;
    assert!(ended.ended.is_some());
    // The first delivery can fail after it has stored the progress. Then only another delivery of the same message ends
    // the run.
    assert_eq!(function.work(&other).await, Worked::default());
    assert_eq!(function.work(&rest).await, ended);
    function.end(&run).await;
    assert_eq!(function.work(&rest).await, Worked::default());
}

#[tokio::test]
async fn only_the_message_that_claimed_the_parts_after_the_lists_sends_them_again() {
    let mut function = Function::at("22T12:00:00", "21T00:00:00").await;
    let run = function.schedule(Daily::Compare).await;
    let mut senders = 0;
    let lists = std::mem::take(&mut function.queue);
    let works = lists.iter().map(|message| function.work(message));
    for (message, worked) in lists.iter().zip(join_all(works).await) {
        senders += usize::from(!worked.next.is_empty());
        assert_eq!(function.work(message).await, worked);
    }
    assert_eq!(senders, 1);

    // The part after the lists is a dead letter. A schedule of the same day sends only this part.
    assert_eq!(function.schedule(Daily::Compare).await, run);
    assert_eq!(function.queue.len(), 1);
    function.receive_all().await;
    assert_eq!(function.days(Daily::Compare), [21]);
}

#[tokio::test]
async fn a_schedule_of_a_later_day_starts_a_new_run_and_the_old_run_does_nothing_after_its_end() {
    let mut function = Function::at("22T12:00:00", "21T00:00:00").await;
    let old = function.schedule(Daily::Compare).await;
    let waiting = std::mem::take(&mut function.queue);
    function.work(&waiting[0]).await;

    function.system.clock().set(on("23T12:00:00"));
    let new = function.schedule(Daily::Compare).await;
    assert_eq!((new.from, new.to), (old.from, old.to));
    assert_ne!(new.id, old.id);
    assert_eq!(function.queue.len(), 26);
    function.receive_all().await;
    assert_eq!(function.days(Daily::Compare), [21, 22]);

    function.system.platform.take_starts();
    function.queue = waiting;
    function.receive_all().await;
    assert_eq!(function.days(Daily::Compare), [21, 22]);
    assert!(function.system.platform.take_starts().is_empty());
}

#[tokio::test]
async fn the_first_run_of_a_task_ends_after_midnight() {
    let mut function = Function::at("22T23:59:00", "22T00:00:00").await;
    function.schedule(Daily::Report).await;
    function.system.clock().set(on("23T00:01:00"));
    function.receive_all().await;
    assert_eq!(function.days(Daily::Report), [21, 22]);
}
