//! Tests the dashboard of the template.

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::monitoring::sources::Sources;
use crate::template::processed::Template;

#[tokio::test]
async fn the_first_widget_shows_payments_and_every_widget_shows_metrics_that_are_written()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let sources = Sources::read()?;
    let dashboard = &template.resource("Dashboard")["Properties"]["DashboardBody"]["Fn::Sub"];
    let dashboard = dashboard
        .as_str()
        .context("the template has no dashboard")?;
    let body: Value = serde_json::from_str(dashboard)?;
    let widgets = body["widgets"]
        .as_array()
        .context("the dashboard has no widgets")?;
    ensure!(widgets[0]["properties"]["title"] == "Payments by hour");
    let mut shown = 0;
    for widget in widgets {
        let metrics = widget["properties"]["metrics"].as_array();
        let metrics = metrics.context("a widget has no metrics")?.iter();
        for metric in metrics.filter_map(Value::as_array) {
            let mut words = metric.iter().filter_map(Value::as_str);
            let Some(namespace) = words.next() else {
                ensure!(metric[0]["expression"].is_string(), "{metric:?}");
                continue;
            };
            shown += 1;
            if namespace.starts_with("Bancontact/") {
                words.try_for_each(|name| sources.ensure_have(name))?;
            } else {
                ensure!(namespace.starts_with("AWS/"), "{namespace}");
            }
        }
    }
    ensure!(shown > 40, "{shown}");
    for reference in dashboard.split("${").skip(1) {
        let name = reference.split(['}', '.']).next().unwrap_or_default();
        let exists = name.starts_with("AWS::") || !template.resource(name).is_null();
        ensure!(exists, "there is no resource {name}");
    }
    Ok(())
}
