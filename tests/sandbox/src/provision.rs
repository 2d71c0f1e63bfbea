//! Stores the secrets of a new deployment, as an operator does: the project's key, the Data API's token and a
//! storefront key.

use anyhow::{Context, ensure};
use aws::dynamodb::DynamoStore;
use aws::sdk;
use aws::secrets::{CachedWebhookSecret, DataApiSecret, ProjectKeySetSecret};
use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::storefront::{Scope, Storefront};
use payments::model::webhook::{
    Endpoint, EndpointId, EndpointKey, EndpointOwner, EndpointUrl, LoopbackHosts, SecretVersions,
    WebhookSecret,
};
use payments::service::project_keys::SecretText;
use payments::sha256;

use crate::local_aws::{CREDENTIALS, LocalAws, REGION};
use crate::platform::{DATA_API_KEY, DATA_API_TOKEN};

/// Valid only in a sandbox.
const STOREFRONT_KEY: &str = "sk_sandbox_not-a-secret-outside-of-this-sandbox";
const STOREFRONT: &str = "sandbox";

#[derive(Clone, Copy)]
pub struct Tables<'a> {
    /// The table of payments.
    pub payments: &'a str,
    /// The table of storefront keys.
    pub storefront_keys: &'a str,
}

/// The administrator's access to the local AWS.
pub struct Account(SdkConfig);

impl Account {
    pub fn new(aws: &LocalAws) -> Self {
        let (id, secret) = CREDENTIALS;
        let credentials = Credentials::new(id, secret, None, None, "sandbox");
        Self(sdk::config(
            REGION.to_owned(),
            credentials,
            Some(aws.endpoint().to_owned()),
        ))
    }

    /// Returns a client of SQS.
    pub fn queues(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.0)
    }

    /// Returns a client of DynamoDB.
    pub fn tables(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.0)
    }

    /// Adds the project's key to the secret with the project keys.
    pub async fn put_project_key(
        &self,
        secret: &str,
        project: u32,
        key: &str,
    ) -> anyhow::Result<()> {
        let secret = ProjectKeySetSecret::new(&self.0, secret);
        let read = secret.read().await?;
        let mut key_set = read.keys.clone();
        key_set.add(ProjectId::new(project.into())?, SecretText::read(key)?)?;
        let written = secret.write(&read, &key_set).await;
        written.context("The project's key cannot be stored")
    }

    /// Stores the Data API's token and its key. On the real platform, an operator creates them in the Dashboard.
    pub async fn put_data_api_token(&self, secret: &str) -> anyhow::Result<()> {
        let (token, key) = (
            SecretText::read(DATA_API_TOKEN)?,
            SecretText::read(DATA_API_KEY)?,
        );
        let put = DataApiSecret::new(&self.0, secret);
        let put = put.put(&token, &key).await;
        put.context("The Data API's token cannot be stored")
    }

    /// Creates the storefront and returns its key.
    pub async fn put_storefront(
        &self,
        tables: Tables<'_>,
        project: u32,
        shop: &str,
    ) -> anyhow::Result<String> {
        let key_id = payments::service::storefront::key_id(STOREFRONT_KEY).unwrap_or_default();
        let storefront = Storefront {
            key_id: key_id.to_owned(),
            key_hash: sha256::hex(STOREFRONT_KEY.as_bytes()),
            name: STOREFRONT.to_owned(),
            project_id: ProjectId::new(project.into())?,
            scopes: [Scope::Checkout, Scope::Read, Scope::Refund, Scope::Project].into(),
            // The examples in the documents have return URLs with the origin `https://shop.example`.
            return_origins: [shop.to_owned(), "https://shop.example".to_owned()].into(),
            payment_id_prefix: None,
        };
        let keys =
            DynamoStore::new(&self.0, tables.payments).storefront_keys(tables.storefront_keys);
        let added = keys
            .add(&storefront, Timestamp::now())
            .await
            .context("The storefront cannot be stored")?;
        ensure!(added, "The table already has this storefront");
        Ok(STOREFRONT_KEY.to_owned())
    }

    /// Adds the shop's endpoint at the path `/webhooks`. `secret` is the secret of all endpoints. Returns the endpoint's
    /// own secret.
    pub async fn put_endpoint(
        &self,
        tables: Tables<'_>,
        endpoints: &str,
        secret: &str,
        project: u32,
        shop: &str,
    ) -> anyhow::Result<WebhookSecret> {
        let endpoint = Endpoint {
            key: EndpointKey {
                owner: EndpointOwner {
                    project_id: ProjectId::new(project.into())?,
                    storefront: STOREFRONT.to_owned(),
                },
                id: EndpointId::new("demo-shop").context("The id of the endpoint is invalid")?,
            },
            url: EndpointUrl::parse(&format!("{shop}/webhooks"), LoopbackHosts::Allowed)?,
            types: [].into(),
            secrets: SecretVersions::FIRST,
            created_at: Timestamp::now(),
        };
        let store = DynamoStore::new(&self.0, tables.payments);
        let store = store.webhook_endpoints(endpoints, LoopbackHosts::Allowed);
        let added = store.add(&endpoint).await;
        ensure!(
            added.context("The shop's endpoint cannot be stored")?,
            "The table already has the shop's endpoint"
        );
        let secret = CachedWebhookSecret::new(&self.0, secret);
        let master = secret.get().await?;
        Ok(master.secret(endpoint.key.id.as_str(), endpoint.secrets.current))
    }
}
