//! Tests `operator storefront`.

use anyhow::{Context, ensure};
use e2e::aws_call::call;
use e2e::storefront::Storefront;
use payments::service::storefront::key_id;
use payments::sha256;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::operator::Operator;

const ADD: [&str; 5] = ["storefront", "add", "tea", "--project", "211"];

pub async fn a_key_works_until_it_is_revoked(operator: &Operator) -> anyhow::Result<()> {
    wrong_arguments_are_refused(operator).await?;
    let first = first_key(operator).await?;
    let second = second_key(operator).await?;
    keys_are_listed(operator, &first).await?;
    let first_id = key_id(&first).context("no id")?;
    let storefront = Storefront::new(operator.ready())?;
    let (with_first, with_second) = (storefront.with_key(&first), storefront.with_key(&second));

    let revoke = ["storefront", "revoke", first_id];
    let refused = operator.run(&revoke, "").await?;
    let names_owner = refused.stderr.contains("storefront tea, project 211");
    ensure!(refused.code == Some(1) && names_owner, "{}", refused.stderr);
    ensure!(with_first.payment("of-tea").await.is_ok());
    operator
        .matches("storefront_revoke.txt", &revoke, "y\n")
        .await?;
    let read = with_first.call(Method::GET, "/payments/of-tea", None);
    let (status, _) = read.await?;
    ensure!(status == 401, "{status}");
    let (status, revoked) = create(&with_first).await?;
    ensure!(status == 401, "{status}");
    let (_, unknown) = create(&storefront.with_key("sk_unknown_key")).await?;
    ensure!(revoked == unknown, "{revoked} instead of {unknown}");
    ensure!(with_second.payment("of-tea").await.is_ok());

    operator.fails(&revoke, "y\n", "already revoked at").await?;
    let unknown = ["storefront", "revoke", "unknown"];
    operator.fails(&unknown, "", "no key with this id").await?;
    let empty = ["storefront", "revoke", ""];
    operator.fails(&empty, "", "value is required").await?;
    // The command accepts the whole key instead of its id, and does not show the key.
    let by_key = ["storefront", "revoke", &second, "--yes", "--json"];
    operator
        .matches("storefront_revoke.json", &by_key, "")
        .await?;
    let list = ["storefront", "list"];
    operator
        .matches("storefront_list_revoked.txt", &list, "")
        .await?;
    a_damaged_key_is_listed_and_revoked(operator).await
}

/// Stores a key whose item cannot be read. The list must still show all keys, and the key must be revocable.
async fn a_damaged_key_is_listed_and_revoked(operator: &Operator) -> anyhow::Result<()> {
    let ready = operator.ready();
    let put = json!({
        "TableName": ready.storefront_keys_table,
        "Item": { "key_id": { "S": "damaged" }, "document": { "S": "{" } },
    });
    call(&operator.system.sandbox, "dynamodb", "put_item", &put).await?;
    let storefront = Storefront::new(ready)?.with_key("sk_damaged_secret");
    let (status, _) = create(&storefront).await?;
    ensure!(status == 503, "{status}");
    let list = ["storefront", "list", "--project", "212"];
    operator
        .matches("storefront_list_damaged.txt", &list, "")
        .await?;
    let revoke = ["storefront", "revoke", "damaged"];
    operator
        .matches("storefront_revoke_damaged.txt", &revoke, "y\n")
        .await?;
    let (status, _) = create(&storefront).await?;
    ensure!(status == 401, "{status}");
    operator.fails(&revoke, "y\n", "already revoked").await?;
    let list = ["--json", "storefront", "list", "--project", "212"];
    operator
        .matches("storefront_list_damaged.json", &list, "")
        .await
}

async fn wrong_arguments_are_refused(operator: &Operator) -> anyhow::Result<()> {
    let origin = &operator.ready().shop;
    let http = "http://shop.example";
    let path = "https://shop.example/a";
    for (more, why) in [
        (&["--scope", "checkout"][..], "--origin"),
        (
            &["--scope", "everything", "--origin", origin],
            "checkout, read",
        ),
        (&["--scope", "read", "--origin", http], "https"),
        (
            &["--scope", "read", "--origin", path],
            "only a scheme, a host and a port",
        ),
        (&["--origin", origin], "--scope"),
    ] {
        operator.fails(&[&ADD[..], more].concat(), "", why).await?;
    }
    let upper_case = [
        "storefront",
        "add",
        "Tea",
        "--project",
        "211",
        "--scope",
        "read",
    ];
    operator.fails(&upper_case, "", "a to z").await
}

/// Creates a key with the scopes `checkout` and `read`, and the payment `of-tea`.
async fn first_key(operator: &Operator) -> anyhow::Result<String> {
    let origin = operator.ready().shop.clone();
    let scope = ["--scope", "checkout,read", "--origin", &origin];
    let add = [&ADD[..], &scope].concat();
    operator.fails(&add, "n\n", "nothing was changed").await?;
    let shown = operator.succeeds(&add, "y\n").await?;
    let key = shown.trim_end();
    ensure!(key.lines().count() == 1, "more than the key");
    operator.add_shown_secret(key);
    operator.replace(key_id(key).context("no id")?, "<id of tea>");

    let storefront = Storefront::new(operator.ready())?.with_key(key);
    storefront.create("of-tea").await?;
    let refund = json!({ "refund_id": "r-1", "description": "returned" });
    storefront.post_refund("of-tea", &refund, 403).await?;
    Ok(key.to_owned())
}

/// Creates a key of the same storefront with the scopes `read` and `refund`.
async fn second_key(operator: &Operator) -> anyhow::Result<String> {
    let add = [&ADD[..], &["--scope", "read,refund", "--yes", "--json"]].concat();
    let mut shown: Value = serde_json::from_str(&operator.succeeds(&add, "").await?)?;
    let key = shown["key"].as_str().context("no key")?.to_owned();
    operator.add_shown_secret(&key);
    operator.replace(key_id(&key).context("no id")?, "<second id of tea>");
    shown["key"] = "<shown once>".into();
    operator.check("storefront_add.json", &format!("{shown:#}\n"))?;

    let storefront = Storefront::new(operator.ready())?.with_key(&key);
    let payment = storefront.payment("of-tea").await?;
    ensure!(payment["payment_id"] == "of-tea", "{payment}");
    let (status, _) = create(&storefront).await?;
    ensure!(status == 403, "{status}");
    Ok(key)
}

async fn create(storefront: &Storefront) -> anyhow::Result<(StatusCode, Value)> {
    let order = storefront.order("not-allowed");
    storefront
        .call(Method::POST, "/checkouts", Some(&order))
        .await
}

async fn keys_are_listed(operator: &Operator, key: &str) -> anyhow::Result<()> {
    let list = ["storefront", "list"];
    operator.matches("storefront_list.txt", &list, "").await?;
    let list = |project| ["--json", "storefront", "list", "--project", project];
    let listed = operator.succeeds(&list("211"), "").await?;
    operator.check("storefront_list.json", &listed)?;
    ensure!(!listed.contains(&sha256::hex(key.as_bytes())), "{listed}");
    let none = operator.succeeds(&list("212"), "").await?;
    ensure!(none.is_empty(), "{none}");
    Ok(())
}
