//! Answers without a length, which object_store refuses although servers may give them.

use std::pin::Pin;

use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{ClientOptions, HeaderValue};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, StatusCode};

/// Makes clients that give an answer without a length the one that it turns out to have.
#[derive(Debug, Default)]
pub(super) struct WithLengths;

impl HttpConnector for WithLengths {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Measuring(inner)))
    }
}

#[derive(Debug)]
struct Measuring(HttpClient);

impl HttpService for Measuring {
    // As the trait declares it.
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let method = request.method().clone();
            let mut response = self.0.execute(request).await?;
            if !response.status().is_success() || response.headers().contains_key(CONTENT_LENGTH) {
                return Ok(response);
            }
            if method == Method::HEAD {
                // As a server says that does not tell sizes.
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                return Ok(response);
            }
            let (mut parts, body) = response.into_parts();
            let body = body.bytes().await?;
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            Ok(HttpResponse::from_parts(parts, body.into()))
        })
    }
}
