//! Divides the time of a run between the projects, so that a project with much work leaves time for the other projects.

use ecommpay::fields::ProjectId;
use tokio::time::Instant;

/// Returns the projects in order, each with a function that returns the deadline of the project's work. Call the
/// function of a project when the project's work starts. It divides the time that is then left until `deadline` equally
/// between this project and the later projects.
pub fn time_shares(
    projects: &[ProjectId],
    deadline: Instant,
) -> impl Iterator<Item = (ProjectId, impl Fn() -> Instant)> {
    let shares = (1..=u32::try_from(projects.len()).unwrap_or(u32::MAX)).rev();
    projects
        .iter()
        .zip(shares)
        .map(move |(project_id, shares)| {
            let share_end = move || {
                let now = Instant::now();
                now + deadline.saturating_duration_since(now) / shares
            };
            (*project_id, share_end)
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn projects() -> [ProjectId; 3] {
        [211, 212, 213].map(|id| ProjectId::new(id).unwrap())
    }

    #[test]
    fn a_project_that_needs_no_time_leaves_its_share_to_the_later_projects() {
        let start = Instant::now();
        let deadline = start + Duration::from_secs(300);
        let projects = projects();
        let ends = time_shares(&projects, deadline)
            .map(|(id, share_end)| (id, (share_end() - start).as_secs()));
        let [first, second, third] = projects;
        let expected = [(first, 100), (second, 150), (third, 300)];
        assert_eq!(ends.collect::<Vec<_>>(), expected);
        assert_eq!(time_shares(&[], deadline).count(), 0);
    }

    #[test]
    fn a_project_that_needs_its_whole_share_takes_no_time_from_the_later_projects() {
        let deadline = Instant::now() + Duration::from_millis(900);
        let projects = projects();
        let mut shares = time_shares(&projects, deadline).map(|(_, share_end)| share_end);
        let first = shares.next().unwrap()();
        std::thread::sleep(first.saturating_duration_since(Instant::now()));
        let second = shares.next().unwrap()();
        assert!(first < second && second < deadline);
        // After the deadline, a share has no time left.
        std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        assert!(shares.next().unwrap()() <= Instant::now());
    }
}
