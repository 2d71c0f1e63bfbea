//! Tests how a release directs the routes to the new versions of their functions.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::template::processed::{Template, target};

const BEHIND_THE_API: [&str; 4] = [
    "CallbackFunction",
    "CheckoutFunction",
    "RefundFunction",
    "ShopperFunction",
];

const ALARMS: [&str; 5] = [
    "ReleaseAnswersAlarm",
    "ReleaseCheckoutAlarm",
    "ReleaseShopperAlarm",
    "ReleaseCallbackAlarm",
    "ReleaseRefundAlarm",
];

fn logical_ids<'a>(template: &'a Template, kind: &str) -> BTreeSet<&'a str> {
    template.all(kind).into_keys().collect()
}

#[tokio::test]
async fn a_new_release_publishes_a_version_of_each_function_behind_the_api() -> anyhow::Result<()> {
    for (release, ending) in [
        ("1796032800-0123456789abcdef", "1796032800"),
        ("1796040000-1796032800-0123456789abcdef", "1796040000"),
    ] {
        let template = Template::with_parameters(&[&format!("Release={release}")]).await?;
        let versions = logical_ids(&template, "AWS::Lambda::Version");
        let expected = BEHIND_THE_API.map(|function| format!("{function}Version{ending}"));
        ensure!(versions == expected.iter().map(String::as_str).collect());
        for function in BEHIND_THE_API {
            let function = &template.resource(function)["Properties"];
            // Lambda publishes a version only if the function has changed. Therefore each release has another
            // description.
            ensure!(function["Description"] == release, "{function}");
            let variables = &function["Environment"]["Variables"];
            ensure!(variables["RELEASE_NAME"] == json!({ "Ref": "Release" }));
        }
        for (name, version) in template.all("AWS::Lambda::Version") {
            // Requests can still use the last version, and a rollback needs the last version.
            let policy = &template.resource(name)["DeletionPolicy"];
            ensure!(policy == "Retain", "{name}: {policy}");
            let alias = template.resource(&format!(
                "{}Aliaslive",
                target(&version["FunctionName"]).context("the version has no function")?
            ));
            let number = json!({ "Fn::GetAtt": [name, "Version"] });
            ensure!(alias["Properties"]["FunctionVersion"] == number, "{alias}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn code_deploy_moves_the_aliases_gradually_and_back_if_an_alarm_of_the_release_fires()
-> anyhow::Result<()> {
    let template = Template::with_parameters(&["Deployment=Canary10Percent10Minutes"]).await?;
    ensure!(template.all("AWS::Lambda::Alias").len() == BEHIND_THE_API.len());
    let alarms = ALARMS.map(|alarm| json!({ "Name": { "Ref": alarm } }));
    for function in BEHIND_THE_API {
        let alias = template.resource(&format!("{function}Aliaslive"));
        let update = &alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"];
        ensure!(target(&update["ApplicationName"]) == Some("ServerlessDeploymentApplication"));
        let group = target(&update["DeploymentGroupName"]);
        let group = group.with_context(|| format!("{function} is not moved gradually"))?;
        let group = &template.resource(group)["Properties"];
        let pace = &group["DeploymentConfigName"]["Fn::Sub"];
        let expected = json!(["CodeDeployDefault.Lambda${ConfigName}", {
            "ConfigName": "Canary10Percent10Minutes",
        }]);
        ensure!(*pace == expected, "{function}: {pace}");
        // All groups must watch the alarms of all functions. Otherwise an alarm would move only one alias back.
        let watched = &group["AlarmConfiguration"];
        ensure!(
            *watched == json!({ "Enabled": true, "Alarms": alarms }),
            "{watched}"
        );
        let events = json!([
            "DEPLOYMENT_FAILURE",
            "DEPLOYMENT_STOP_ON_ALARM",
            "DEPLOYMENT_STOP_ON_REQUEST"
        ]);
        let back = &group["AutoRollbackConfiguration"];
        ensure!(
            *back == json!({ "Enabled": true, "Events": events }),
            "{back}"
        );
        ensure!(target(&group["ServiceRoleArn"]) == Some("DeploymentRole"));
    }
    Ok(())
}

/// The local AWS has no CodeDeploy.
#[tokio::test]
async fn by_default_the_template_needs_no_code_deploy() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.default("Deployment") == "AllAtOnce");
    for kind in [
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
    ] {
        ensure!(template.all(kind).is_empty(), "the template has a {kind}");
    }
    for function in BEHIND_THE_API {
        let alias = template.resource(&format!("{function}Aliaslive"));
        ensure!(alias["UpdatePolicy"].is_null(), "{alias}");
    }
    Ok(())
}

#[tokio::test]
async fn production_and_every_value_except_all_at_once_are_gradual() -> anyhow::Result<()> {
    let stages = std::fs::read_to_string(tools::root().join("infra/samconfig.toml"))?;
    let (_, production) = stages
        .split_once("[prod.deploy.parameters]")
        .context("there is no stage prod")?;
    // A rollback sets `Deployment` to `AllAtOnce`. Therefore each deployment of this stage must set the parameter.
    ensure!(production.contains("\"Deployment=Canary10Percent10Minutes\""));
    let template = Template::processed().await?;
    let values = template.section("Parameters")["Deployment"]["AllowedValues"].as_array();
    let values = values.context("the parameter has no values")?;
    ensure!(values.len() > 2, "{values:?}");
    let kinds = template.section("Mappings")["Deployments"].as_object();
    let kinds = kinds.context("the template has no deployments")?;
    ensure!(kinds.len() == values.len(), "{kinds:?}");
    for value in values.iter().filter_map(Value::as_str) {
        let is_gradual = &kinds[value]["IsGradual"];
        ensure!(*is_gradual == json!(value != "AllAtOnce"), "{value}");
    }
    Ok(())
}

/// An alarm that fires before a release would stop this release. Therefore each release has its own alarms, which watch
/// only the versions of this release.
#[tokio::test]
async fn the_alarms_of_a_release_watch_only_this_release() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    for alarm in ALARMS {
        let properties = &template.resource(alarm)["Properties"];
        let name = properties["AlarmName"]["Fn::Sub"].as_str();
        let name = name.with_context(|| format!("there is no alarm {alarm}"))?;
        ensure!(name.ends_with("-${Release}"), "{alarm}: {name}");
        // An alarm fires after a single failure within a minute.
        let seconds = ["Period", "EvaluationPeriods", "Threshold"].map(|name| &properties[name]);
        ensure!(seconds == [&json!(60), &json!(1), &json!(0)], "{alarm}");
        ensure!(properties["TreatMissingData"] == "notBreaching", "{alarm}");
        let own = alarm
            .trim_start_matches("Release")
            .trim_end_matches("Alarm");
        let function = format!("{own}Function");
        let expected = match own {
            "Answers" => json!([{ "Name": "release", "Value": { "Ref": "Release" } }]),
            _ => json!([
                { "Name": "FunctionName", "Value": { "Ref": function } },
                { "Name": "Resource", "Value": { "Fn::Sub": format!("${{{function}}}:live") } },
                { "Name": "ExecutedVersion", "Value": {
                    "Fn::GetAtt": [format!("{function}Versionnone"), "Version"],
                } },
            ]),
        };
        let dimensions = &properties["Dimensions"];
        ensure!(*dimensions == expected, "{alarm}: {dimensions}");
    }
    Ok(())
}

#[tokio::test]
async fn code_deploy_can_only_move_the_aliases_and_read_alarms() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let role = &template.resource("DeploymentRole")["Properties"];
    let own = json!({ "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } } });
    let trust = &role["AssumeRolePolicyDocument"]["Statement"];
    let expected = json!([{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Condition": own,
        "Principal": { "Service": "codedeploy.amazonaws.com" },
    }]);
    ensure!(*trust == expected, "{trust}");
    ensure!(role["ManagedPolicyArns"].is_null());
    let statements = &role["Policies"][0]["PolicyDocument"]["Statement"];
    ensure!(role["Policies"][1].is_null() && statements[2].is_null());
    let moves = json!([
        "lambda:GetAlias",
        "lambda:UpdateAlias",
        "lambda:GetProvisionedConcurrencyConfig"
    ]);
    ensure!(statements[0]["Action"] == moves, "{statements}");
    let resources = statements[0]["Resource"].as_array();
    let resources = resources.context("the statement has no resources")?;
    ensure!(resources.len() == 2 * BEHIND_THE_API.len(), "{resources:?}");
    for function in BEHIND_THE_API {
        let alias = json!({ "Fn::Sub": format!("${{{function}.Arn}}:live") });
        for resource in [json!({ "Fn::GetAtt": [function, "Arn"] }), alias] {
            ensure!(resources.contains(&resource), "{resource}");
        }
    }
    let alarms = json!({
        "Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*",
    });
    ensure!(statements[1] == alarms, "{statements}");
    Ok(())
}
