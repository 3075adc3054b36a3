//! The engine over images that behave as they are called.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;

use super::*;
use crate::cache::{Claim, Token};
use crate::policy::Date;
use crate::report::model::Verdict;
use crate::report::samples;
use crate::serve::config::{Profile, Registry};
use crate::serve::verdict::Access;

const HOST: Host = Host { read: |_, _| Err("no files".into()), open_policy: |_| Err(vec![]), today: Date::default };
const GOOD: &str = "r.example/good";

#[derive(Default)]
struct Named {
    opened: AtomicUsize,
}

impl Images for Named {
    fn resolve(&self, ask: &Ask) -> Result<Resolved, Problem> {
        match ask.repository.as_str() {
            "r.example/slow-tag" => sleep(Duration::from_millis(100)),
            "r.example/hung-tag" => sleep(Duration::from_secs(4)),
            _ => {}
        }
        let bytes = if ask.repository.ends_with("big") { 1 << 40 } else { 1_000 };
        let digest = match &ask.subject {
            Subject::Digest(digest) => digest.clone(),
            other => digest_of(&format!("{} {other}", ask.repository)),
        };
        Ok(Resolved { digest, bytes: Some(bytes) })
    }

    fn open(&self, ask: &Ask, digest: &str) -> Result<Opened, Problem> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let refused = || Problem::Refused { reason: "401".into() };
        match ask.repository.rsplit('/').next().unwrap() {
            "slow" | "big" => sleep(Duration::from_millis(100)),
            "hangs" => sleep(Duration::from_secs(5)),
            "panics" => panic!("of the test"),
            "missing" => return Err(refused()),
            "down" => return Err(Problem::Unavailable { reason: "503".into(), retry_after: None }),
            "private" => {
                sleep(Duration::from_millis(50));
                if ask.access != Access::Configured {
                    return Err(refused());
                }
            }
            _ => {}
        }
        let mut report = if ask.repository.ends_with("bad") { samples::bad() } else { samples::good() };
        // so that a report on another image is seen to be one
        report.source.name = digest.to_owned();
        Ok(Opened::Report(Box::new(report)))
    }
}

fn digest_of(text: &str) -> String {
    key::sha256(text.as_bytes())
}

fn engine_with(images: &Arc<Named>, shared: Option<Arc<dyn Shared>>, change: impl Fn(&mut Config)) -> Engine {
    let mut config = Config { registries: [("r.example".to_owned(), Registry::default())].into(), ..Config::default() };
    change(&mut config);
    let (sender, live) = Live::new(config);
    // a configuration that nobody can change any more is one too
    drop(sender);
    Engine::start(live, HOST, Arc::clone(images) as Arc<dyn Images>, (shared, Layers::default()), Arc::default()).unwrap()
}

fn engine() -> (Engine, Arc<Named>) {
    let images = Arc::new(Named::default());
    (engine_with(&images, None, |_| {}), images)
}

fn ask(repository: &str) -> Ask {
    Ask {
        repository: repository.to_owned(),
        subject: Subject::Tag("1".into()),
        profile: Arc::new(Profile::default()),
        platforms: Vec::new(),
        access: Access::Configured,
        deadline: Instant::now().checked_add(Duration::from_secs(20)).unwrap(),
        may_enqueue: true,
    }
}

fn within(ask: Ask, millis: u64) -> Ask {
    Ask { deadline: Instant::now().checked_add(Duration::from_millis(millis)).unwrap(), ..ask }
}

fn verdict(outcome: &Outcome) -> Option<Verdict> {
    match outcome {
        Outcome::Judged(judged) => Some(judged.verdict),
        _ => None,
    }
}

/// Waits until so many images were opened.
async fn opened(images: &Named, count: usize) {
    let began = Instant::now();
    while images.opened.load(Ordering::SeqCst) < count && began.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(images.opened.load(Ordering::SeqCst), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_have_one_image_verified_once() {
    let (engine, images) = engine();
    let mut asks = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let engine = engine.clone();
        asks.spawn(async move { engine.verdict(ask("r.example/slow")).await });
    }
    let outcomes = asks.join_all().await;
    assert!(outcomes.iter().all(|outcome| verdict(outcome) == Some(Verdict::Pass)));
    assert_eq!(images.opened.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pass_and_fail_are_kept_and_errors_are_not() {
    for (repository, expected, opened) in [
        ("good", Some(Verdict::Pass), 1),
        ("bad", Some(Verdict::Fail), 1),
        ("missing", None, 3),
        ("down", None, 3),
        ("panics", None, 3),
    ] {
        let (engine, images) = engine();
        for _ in 0..3 {
            let outcome = engine.verdict(ask(&format!("r.example/{repository}"))).await;
            assert_eq!(verdict(&outcome), expected, "{outcome:?}");
        }
        assert_eq!(images.opened.load(Ordering::SeqCst), opened, "{repository}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_names_its_request_and_costs_no_worker() {
    let (engine, _) = engine();
    for _ in 0..5 {
        let request = request::Request::new();
        let outcome = request::scope(Arc::clone(&request), engine.verdict(ask("r.example/panics"))).await;
        assert!(matches!(&outcome, Outcome::Fault { request: id } if *id == request.id), "{outcome:?}");
    }
    assert_eq!(verdict(&engine.verdict(ask(GOOD)).await), Some(Verdict::Pass));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_hangs_does_not_hold_who_asked() {
    let (engine, _) = engine();
    let began = Instant::now();
    let outcome = engine.verdict(within(ask("r.example/hangs"), 100)).await;
    assert!(matches!(outcome, Outcome::NotReady { .. }) && began.elapsed() < Duration::from_secs(2), "{outcome:?}");
    assert_eq!(verdict(&engine.verdict(ask(GOOD)).await), Some(Verdict::Pass));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_wait_has_still_begun_the_work() {
    let (engine, images) = engine();
    for repository in ["r.example/slow-tag", GOOD] {
        let _ = engine.verdict(within(ask(repository), 0)).await;
    }
    opened(&images, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_hangs_holds_nobody_and_gathers_no_crowd() {
    let (engine, _) = engine();
    let began = Instant::now();
    let mut asks = tokio::task::JoinSet::new();
    for number in 0..300 {
        let engine = engine.clone();
        let hung = Ask { subject: Subject::Tag(number.to_string()), ..within(ask("r.example/hung-tag"), 50) };
        asks.spawn(async move { engine.verdict(hung).await });
    }
    assert!(asks.join_all().await.iter().all(|outcome| matches!(outcome, Outcome::NotReady { .. })));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    tokio::time::sleep(STORE_PATIENCE.saturating_add(Duration::from_millis(500))).await;
    // 64 are asked still, and the others have given up
    assert!(Arc::strong_count(&engine.0) < 2 * MOST_QUESTIONS + 10, "{}", Arc::strong_count(&engine.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_turns_away_and_says_when_to_come_again() {
    let images = Arc::new(Named::default());
    let engine = engine_with(&images, None, |config| (config.server.workers, config.server.max_queue) = (1, 1));
    let mut away = 0;
    for number in 0..10 {
        let request = request::Request::new();
        let hanging = Ask { subject: Subject::Tag(number.to_string()), ..within(ask("r.example/hangs"), 30) };
        let outcome = request::scope(Arc::clone(&request), engine.verdict(hanging)).await;
        assert!(matches!(outcome, Outcome::NotReady { retry_after } if retry_after >= RETRY_AFTER), "{outcome:?}");
        away += usize::from(request.was_turned_away());
    }
    assert_eq!(away, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_begins_nothing() {
    let (engine, images) = engine();
    let dry = || Ask { may_enqueue: false, ..ask(GOOD) };
    assert!(matches!(engine.verdict(dry()).await, Outcome::NotReady { .. }));
    assert_eq!(images.opened.load(Ordering::SeqCst), 0);
    engine.verdict(ask(GOOD)).await;
    assert_eq!(verdict(&engine.verdict(dry()).await), Some(Verdict::Pass));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_does_not_wait_is_answered_at_once_and_the_work_goes_on() {
    let (engine, images) = engine();
    let unwaiting = Arc::new(Profile { on_unknown: OnUnknown::Deny, ..Profile::default() });
    let asked = || Ask { profile: Arc::clone(&unwaiting), ..ask(GOOD) };
    assert!(matches!(engine.verdict(asked()).await, Outcome::NotReady { .. }));
    assert!(matches!(engine.verdict(ask("r.example/big")).await, Outcome::NotReady { .. }));
    let began = Instant::now();
    while verdict(&engine.verdict(asked()).await).is_none() && began.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(verdict(&engine.verdict(asked()).await), Some(Verdict::Pass));
    opened(&images, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pushes_waits_however_big_the_image_is() {
    let (engine, _) = engine();
    let bytes: Arc<[u8]> = Arc::from(b"{}".as_slice());
    let subject = Subject::Manifest { media_type: "application/vnd.oci.image.manifest.v1+json".into(), bytes };
    let outcome = engine.verdict(Ask { subject, ..ask("r.example/big") }).await;
    let Outcome::Judged(judged) = outcome else { panic!("{outcome:?}") };
    assert_eq!(judged.digest, key::sha256(b"{}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_of_another_s_rights_is_not_mine() {
    let (engine, _) = engine();
    let digest = digest_of("private");
    let with = |access| Ask { access, subject: Subject::Digest(digest.clone()), ..ask("r.example/private") };
    let stranger = engine.clone();
    let theirs = with(Access::Caller("Bearer wrong".into()));
    let theirs = tokio::spawn(async move { stranger.verdict(theirs).await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(verdict(&engine.verdict(with(Access::Configured)).await), Some(Verdict::Pass));
    assert!(matches!(theirs.await.unwrap(), Outcome::Refused { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_not_listed_is_not_asked_even_for_what_is_known() {
    let (engine, images) = engine();
    engine.verdict(Ask { subject: Subject::Digest(digest_of("x")), ..ask(GOOD) }).await;
    let outcome = engine.verdict(Ask { subject: Subject::Digest(digest_of("x")), ..ask("evil.example/good") }).await;
    assert!(matches!(outcome, Outcome::Refused { reason } if reason == "the registry evil.example is not in [registries]"));
    let outcome = engine.verdict(Ask { subject: Subject::Digest("sha256:../x".into()), ..ask(GOOD) }).await;
    assert!(matches!(outcome, Outcome::Refused { .. }));
    assert_eq!(images.opened.load(Ordering::SeqCst), 1);
}

#[derive(Default)]
struct Store {
    held: Mutex<HashMap<Key, Vec<u8>>>,
    is_down: bool,
    /// How often another replica is said to do the work, before it is dead.
    others: AtomicUsize,
}

impl Shared for Store {
    fn find(&self, key: &Key) -> Result<Option<Vec<u8>>, String> {
        if self.is_down { Err("down".into()) } else { Ok(self.held.lock().unwrap().get(key).cloned()) }
    }

    fn keep(&self, key: &Key, report: &[u8]) -> Result<(), String> {
        self.held.lock().unwrap().insert(key.clone(), report.to_vec());
        if self.is_down { Err("down".into()) } else { Ok(()) }
    }

    fn is_reachable(&self) -> bool {
        !self.is_down
    }

    fn claim(&self, _: &Key) -> Claim {
        let left = self.others.load(Ordering::SeqCst);
        self.others.store(left.saturating_sub(1), Ordering::SeqCst);
        if left > 0 { Claim::Theirs } else { Claim::Mine(Token::random()) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_another_replica_has_taken_is_left_to_it_until_it_is_dead() {
    let images = Arc::new(Named::default());
    let store = Arc::new(Store { others: AtomicUsize::new(1_000_000), ..Store::default() });
    let waiting = engine_with(&images, Some(store.clone()), |_| {});
    let waiting = tokio::spawn(async move { waiting.verdict(ask("r.example/bad")).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(images.opened.load(Ordering::SeqCst), 0);
    let other = Arc::new(Store::default());
    engine_with(&images, Some(other.clone()), |_| {}).verdict(ask("r.example/bad")).await;
    *store.held.lock().unwrap() = other.held.lock().unwrap().clone();
    assert_eq!((verdict(&waiting.await.unwrap()), images.opened.load(Ordering::SeqCst)), (Some(Verdict::Fail), 1));

    let store = Arc::new(Store { others: AtomicUsize::new(3), ..Store::default() });
    let outcome = engine_with(&images, Some(store), |_| {}).verdict(ask("r.example/bad")).await;
    assert_eq!((verdict(&outcome), images.opened.load(Ordering::SeqCst)), (Some(Verdict::Fail), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_replica_reads_what_the_first_has_judged() {
    let (store, images) = (Arc::new(Store::default()), Arc::new(Named::default()));
    let first = engine_with(&images, Some(store.clone()), |_| {}).verdict(ask("r.example/bad")).await;
    let second = engine_with(&images, Some(store.clone()), |_| {}).verdict(ask("r.example/bad")).await;
    let (Outcome::Judged(first), Outcome::Judged(second)) = (first, second) else { panic!() };
    assert_eq!((first, images.opened.load(Ordering::SeqCst)), (second, 1));
    for report in store.held.lock().unwrap().values_mut() {
        report.truncate(10);
    }
    let third = engine_with(&images, Some(store), |_| {}).verdict(ask("r.example/bad")).await;
    assert_eq!((verdict(&third), images.opened.load(Ordering::SeqCst)), (Some(Verdict::Fail), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_down_costs_time_and_no_answer() {
    let (store, images) = (Arc::new(Store { is_down: true, ..Store::default() }), Arc::new(Named::default()));
    let engine = engine_with(&images, Some(store), |_| {});
    assert!(!engine.is_store_reachable());
    for _ in 0..2 {
        assert_eq!(verdict(&engine.verdict(ask(GOOD)).await), Some(Verdict::Pass));
    }
    assert_eq!(images.opened.load(Ordering::SeqCst), 1);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20))]
    #[test]
    fn no_image_gets_the_verdict_of_another(asked in proptest::collection::vec((0_u8..12, proptest::bool::ANY, 0_u64..3), 1..120)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
        runtime.block_on(async {
            // a store of a few reports: most are driven out again
            let images = Arc::new(Named::default());
            let engine = engine_with(&images, None, |config| config.cache.memory_bytes = Some(60_000));
            let mut asks = tokio::task::JoinSet::new();
            for (number, is_bad, pause) in asked {
                let engine = engine.clone();
                asks.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    let repository = if is_bad { "r.example/bad" } else { GOOD };
                    let digest = digest_of(&format!("{repository} {number}"));
                    let outcome = engine.verdict(Ask { subject: Subject::Tag(number.to_string()), ..ask(repository) }).await;
                    let Outcome::Judged(judged) = outcome else { panic!("{outcome:?}") };
                    assert_eq!(judged.verdict, if is_bad { Verdict::Fail } else { Verdict::Pass });
                    assert_eq!(judged.digest, digest);
                    assert!(String::from_utf8_lossy(&judged.report).contains(&digest));
                });
            }
            asks.join_all().await;
        });
    }
}
