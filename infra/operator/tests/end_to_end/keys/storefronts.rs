//! Keys of storefronts.

use anyhow::{Context, ensure};
use e2e::storefront::Storefront;
use payments::service::storefront::key_id;
use payments::sha256;
use reqwest::Method;
use serde_json::{Value, json};

use crate::keys::desk::Desk;

const ADD: [&str; 5] = ["storefront", "add", "tea", "--project", "211"];

pub async fn have_keys_that_open_what_they_are_for(desk: &Desk) -> anyhow::Result<()> {
    let origin = desk.ready().shop.clone();
    let checkout = ["--scope", "checkout,read", "--origin", &origin];
    for (more, why) in [
        (&["--scope", "checkout"][..], "--origin"),
        (
            &["--scope", "everything", "--origin", &origin],
            "checkout, read",
        ),
        (
            &["--scope", "read", "--origin", "http://shop.example"],
            "https",
        ),
        (
            &["--scope", "read", "--origin", "https://shop.example/a"],
            "more than",
        ),
        (&["--origin", &origin], "--scope"),
    ] {
        desk.refused(&[&ADD[..], more].concat(), "", why).await?;
    }
    let add = ["storefront", "add", "Tea", "--project", "211"];
    desk.refused(&[&add[..], &checkout].concat(), "", "a to z")
        .await?;
    let add = [&ADD[..], &checkout].concat();
    desk.refused(&add, "n\n", "nothing was changed").await?;

    let shown = desk.done(&add, "y\n").await?;
    let key = shown.trim_end();
    let id = key_id(key).context("no key")?;
    ensure!(key.lines().count() == 1, "more than the key");
    desk.shown(key);
    desk.differs(id, "<id of tea>");
    let tea = Storefront::new(desk.ready())?.with_key(key);
    tea.create("of-tea").await?;
    let refund = json!({ "refund_id": "r-1", "description": "returned" });
    let (status, _) = tea.refund("of-tea", &refund).await?;
    ensure!(status == 403, "{status}");

    // A second key of the same storefront.
    let add = [&ADD[..], &["--scope", "read,refund", "--yes", "--json"]].concat();
    let mut shown: Value = serde_json::from_str(&desk.done(&add, "").await?)?;
    let second = shown["key"].as_str().context("no key")?.to_owned();
    desk.shown(&second);
    let second_id = key_id(&second).context("no id")?;
    desk.differs(second_id, "<second id of tea>");
    shown["key"] = "<shown once>".into();
    desk.keep("storefront_add.json", &format!("{shown:#}\n"))?;
    let reader = tea.with_key(&second);
    ensure!(reader.payment("of-tea").await?["payment_id"] == "of-tea");
    let order = reader.order("not-allowed");
    let (status, _) = reader
        .call(Method::POST, "/checkouts", Some(&order))
        .await?;
    ensure!(status == 403, "{status}");

    desk.kept("storefront_list.txt", &["storefront", "list"], "")
        .await?;
    let of_project = ["--json", "storefront", "list", "--project", "211"];
    let listed = desk.done(&of_project, "").await?;
    desk.keep("storefront_list.json", &listed)?;
    ensure!(!listed.contains(&sha256::hex(key.as_bytes())), "{listed}");
    let none = desk
        .done(&["--json", "storefront", "list", "--project", "212"], "")
        .await?;
    ensure!(none.is_empty(), "{none}");

    // The first key goes, the second one stays.
    let revoke = ["storefront", "revoke", id];
    let said = desk.run(&revoke, "").await?;
    ensure!(said.code == Some(1) && said.told.contains("storefront tea, project 211"));
    ensure!(tea.payment("of-tea").await.is_ok());
    desk.kept("storefront_revoke.txt", &revoke, "y\n").await?;
    let (status, _) = tea.call(Method::GET, "/payments/of-tea", None).await?;
    ensure!(status == 401, "{status}");
    let order = tea.order("too-late");
    let (status, answer) = tea.call(Method::POST, "/checkouts", Some(&order)).await?;
    ensure!(status == 401, "{status}");
    let never = tea.with_key("sk_never_was");
    let (_, unknown) = never.call(Method::POST, "/checkouts", Some(&order)).await?;
    ensure!(answer == unknown, "{answer} instead of {unknown}");
    ensure!(reader.payment("of-tea").await.is_ok());

    desk.refused(&revoke, "y\n", "was revoked at").await?;
    desk.refused(
        &["storefront", "revoke", "never"],
        "",
        "no key with this id",
    )
    .await?;
    // The whole key names it too, and is not repeated.
    let by_key = ["storefront", "revoke", &second, "--yes", "--json"];
    desk.kept("storefront_revoke.json", &by_key, "").await?;
    desk.kept("storefront_list_revoked.txt", &["storefront", "list"], "")
        .await
}
