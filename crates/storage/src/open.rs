//! Opening a store from a URI and the options of a manifest.

use std::{fmt, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, Certificate, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    azure::{MicrosoftAzure, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder},
    list::PaginatedListStore,
    local::LocalFileSystem,
};

use super::answer::DoubtingConnector;
use super::{Error, Session, location::Service};

/// How a bucket is reached; a folder needs none of it.
///
/// Credentials are no options: they come from the environment, by the names that the clouds' own
/// tools use (`AWS_*`, `GOOGLE_*`, `AZURE_*`), and a proxy from `HTTPS_PROXY`. Options set here
/// win over the environment.
#[derive(Clone, Default)]
pub struct StorageOptions {
    /// The service's address, for a store that is not the cloud's own: `https://minio.example`.
    pub endpoint: Option<String>,
    /// The bucket's region, for S3.
    pub region: Option<String>,
    /// Whether an `http://` endpoint is accepted.
    pub allow_http: bool,
    /// Certificates to trust beside the system's, as PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// What this place has in common with the others that the process opens.
    pub session: Session,
}

impl fmt::Debug for StorageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageOptions")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("allow_http", &self.allow_http)
            .field("ca_bundle", &self.ca_bundle.as_ref().map(Vec::len))
            .field("session", &self.session)
            .finish()
    }
}

/// A request is repeated for 2 minutes, after 0.25 s, then up to twice as long each time, 15 s at most:
/// long enough for a restart of the store, and short enough that an outage is reported while credentials
/// are still valid. A session of less patience repeats it for less long.
fn retry(session: &Session) -> RetryConfig {
    let patience = session.patience();
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(15),
            base: 2.0,
        },
        // The pauses are drawn: a few may be over in seconds.
        max_retries: 100,
        retry_timeout: patience,
    }
}

/// Folders are synced to the disk, as a bucket's objects are when it has answered.
pub(super) fn folder() -> Arc<dyn ObjectStore> {
    Arc::new(LocalFileSystem::new().with_fsync(true))
}

/// A bucket, and the same one as it lists in pages.
type Bucket = (Arc<dyn ObjectStore>, Arc<dyn PaginatedListStore>);

fn both<T: ObjectStore + PaginatedListStore>(store: T) -> Bucket {
    let store = Arc::new(store);
    (Arc::<T>::clone(&store), store)
}

/// Opens a bucket; `root` is its URI.
pub(super) fn bucket(
    service: Service,
    root: &str,
    options: &StorageOptions,
) -> Result<Bucket, Error> {
    let failed = |error| match Error::at(root.to_owned(), error) {
        Error::Other { uri, source } => Error::Configuration { uri, source },
        error => error,
    };
    let opened = match service {
        Service::S3 => s3(root, options).map(both),
        Service::Google => google(root, options).map(both),
        Service::Azure => azure(root, options).map(both),
    };
    opened.map_err(failed)
}

fn s3(root: &str, options: &StorageOptions) -> object_store::Result<AmazonS3> {
    let mut builder = AmazonS3Builder::from_env().with_client_options(client("AWS_", options)?);
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = &options.region {
        builder = builder.with_region(region);
    }
    if options.session.is_unsigned() {
        builder = builder.with_skip_signature(true);
    }
    let builder = builder.with_http_connector(DoubtingConnector);
    let retry = retry(&options.session);
    builder.with_url(root).with_retry(retry).build()
}

fn google(root: &str, options: &StorageOptions) -> object_store::Result<GoogleCloudStorage> {
    let client = client("GOOGLE_", options)?;
    let mut builder = GoogleCloudStorageBuilder::from_env().with_client_options(client);
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    let builder = builder.with_http_connector(DoubtingConnector);
    let retry = retry(&options.session);
    builder.with_url(root).with_retry(retry).build()
}

fn azure(root: &str, options: &StorageOptions) -> object_store::Result<MicrosoftAzure> {
    let client = client("AZURE_", options)?;
    let mut builder = MicrosoftAzureBuilder::from_env().with_client_options(client);
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    let builder = builder.with_http_connector(DoubtingConnector);
    let retry = retry(&options.session);
    builder.with_url(root).with_retry(retry).build()
}

/// The HTTP client's options: the environment's (`AWS_ALLOW_HTTP` and the like), then ours.
///
/// A request may take 5 minutes in all, since a part of a large object goes through a hospital's
/// slow line; a connection must be there within 10 seconds.
fn client(prefix: &str, options: &StorageOptions) -> object_store::Result<ClientOptions> {
    let mut client = ClientOptions::new()
        .with_timeout(Duration::from_secs(300))
        .with_connect_timeout(Duration::from_secs(10));
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && let Some(name) = name.strip_prefix(prefix)
            && let Ok(key) = name.to_ascii_lowercase().parse::<ClientConfigKey>()
        {
            client = client.with_config(key, value);
        }
    }
    if options.allow_http {
        client = client.with_allow_http(true);
    }
    if let Some(bundle) = &options.ca_bundle {
        for certificate in Certificate::from_pem_bundle(bundle)? {
            client = client.with_root_certificate(certificate);
        }
    }
    Ok(client)
}
