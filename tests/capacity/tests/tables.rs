//! The tables of the README and of `infra/capacity.md` are those that the calculation makes.

#[test]
fn the_documents_have_the_calculated_tables() -> anyhow::Result<()> {
    capacity::documents::check()
}
