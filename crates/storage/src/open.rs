//! Opening a store from a URI and the options of a manifest.

use std::{fmt, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, Certificate, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig,
    aws::AmazonS3Builder, azure::MicrosoftAzureBuilder, gcp::GoogleCloudStorageBuilder,
    local::LocalFileSystem,
};

use super::{Error, location::Service};

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
}

impl fmt::Debug for StorageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageOptions")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("allow_http", &self.allow_http)
            .field("ca_bundle", &self.ca_bundle.as_ref().map(Vec::len))
            .finish()
    }
}

/// A request is repeated up to 8 times within 2 minutes, after 0.25 s, then about twice as long
/// each time, 15 s at most: long enough for a restart of the store, and short enough that an outage
/// is reported while credentials are still valid.
fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(15),
            base: 2.0,
        },
        max_retries: 8,
        retry_timeout: Duration::from_secs(120),
    }
}

/// Folders are synced to the disk, as a bucket's objects are when it has answered.
pub(super) fn folder() -> Arc<dyn ObjectStore> {
    Arc::new(LocalFileSystem::new().with_fsync(true))
}

/// Opens a bucket; `root` is its URI.
pub(super) fn bucket(
    service: Service,
    root: &str,
    options: &StorageOptions,
) -> Result<Arc<dyn ObjectStore>, Error> {
    let failed = |error| match Error::at(root.to_owned(), error) {
        Error::Other { uri, source } => Error::Configuration { uri, source },
        error => error,
    };
    let client = |prefix| client(prefix, options).map_err(failed);
    let endpoint = options.endpoint.as_deref();
    match service {
        Service::S3 => {
            let mut builder = AmazonS3Builder::from_env().with_client_options(client("AWS_")?);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            if let Some(region) = &options.region {
                builder = builder.with_region(region);
            }
            let store = builder.with_url(root).with_retry(retry()).build();
            Ok(Arc::new(store.map_err(failed)?))
        }
        Service::Google => {
            let mut builder =
                GoogleCloudStorageBuilder::from_env().with_client_options(client("GOOGLE_")?);
            if let Some(endpoint) = endpoint {
                builder = builder.with_base_url(endpoint);
            }
            let store = builder.with_url(root).with_retry(retry()).build();
            Ok(Arc::new(store.map_err(failed)?))
        }
        Service::Azure => {
            let mut builder =
                MicrosoftAzureBuilder::from_env().with_client_options(client("AZURE_")?);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint.to_owned());
            }
            let store = builder.with_url(root).with_retry(retry()).build();
            Ok(Arc::new(store.map_err(failed)?))
        }
    }
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
