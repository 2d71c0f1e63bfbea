//! Makes the ids of new endpoints.

use crate::model::webhook::EndpointId;

/// Returns a random id. Its 80 bits never collide in practice, so an id is not used again after its endpoint was removed.
///
/// The secret of an endpoint is derived from its id. So a new endpoint never has a secret that another one had.
pub fn new_id() -> Result<EndpointId, getrandom::Error> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes)?;
    EndpointId::new(format!("ep_{}", hex::encode(bytes))).ok_or(getrandom::Error::UNEXPECTED)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_new_endpoint_has_another_id() {
        let ids: BTreeSet<EndpointId> = (0..200).map(|_| new_id().unwrap()).collect();
        assert_eq!(ids.len(), 200);
        assert!(ids.iter().all(|id| id.as_str().starts_with("ep_")));
    }
}
