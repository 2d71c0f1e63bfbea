//! Tests that the names of resources differ between stacks in an account and region, and between regions.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::template::processed::Template;

/// The property with the name, for each type of resource whose name must be unique in an account and region. Roles,
/// policies and dashboards need unique names in all regions, and buckets in all accounts.
const NAMES: [(&str, &str); 17] = [
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::Events::Rule", "Name"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::Logs::QueryDefinition", "Name"),
    ("AWS::Pipes::Pipe", "Name"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::SSM::Parameter", "Name"),
    ("AWS::Scheduler::Schedule", "Name"),
    ("AWS::SecretsManager::Secret", "Name"),
];

/// These resources need no unique name.
const WITHOUT_NAME: [&str; 15] = [
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
];

#[tokio::test]
async fn two_stacks_in_an_account_and_one_stack_in_two_regions_share_no_name() -> anyhow::Result<()>
{
    let template = Template::processed().await?;
    let resources = template.section("Resources").as_object();
    for (resource, content) in resources.context("the template has no resources")? {
        let kind = content["Type"].as_str().unwrap_or_default();
        if WITHOUT_NAME.contains(&kind) {
            continue;
        }
        let known = NAMES.iter().find(|(known, _)| *known == kind);
        let (_, property) =
            known.with_context(|| format!("add {kind} to NAMES or to WITHOUT_NAME"))?;
        let name = &content["Properties"][property];
        let is_unique = match kind {
            // The name shows the stack and the problem. A name that CloudFormation makes would not show the problem.
            // Alarms need unique names only within a region.
            "AWS::CloudWatch::Alarm" => has(name, "${AWS::StackName}-"),
            // Without a name, each change of the body would replace the dashboard.
            "AWS::CloudWatch::Dashboard" => {
                *name == json!({ "Fn::Sub": "${AWS::StackName}-${AWS::Region}" })
            }
            // CloudFormation makes a unique name.
            _ => name.is_null(),
        };
        ensure!(is_unique, "{resource} has the name {name}");
    }
    Ok(())
}

fn has(name: &Value, part: &str) -> bool {
    let name = name["Fn::Sub"].as_str();
    name.is_some_and(|name| name.starts_with(part))
}
