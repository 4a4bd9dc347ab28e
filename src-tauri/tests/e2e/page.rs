//! The page in the window: what it shows, and clicks on it. Everything is waited for.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;

use crate::rig::{APP, PATIENCE, POLL, Rig};

/// The driver listens a moment after it was started.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// A picture of a page that moves takes a frame.
const PICTURE_WITHIN: Duration = Duration::from_secs(20);
/// Something moves on the page that nobody can see.
const MOVE: &str = "window.moving = setInterval(() => { const { style } = document.body; \
    style.outline = style.outline ? '' : '1px solid transparent'; }, 20)";
const REST: &str = "clearInterval(window.moving); document.body.style.outline = ''";

/// Finds and presses in one go.
const PRESS: &str = "const found = document.querySelector(arguments[0]); \
    found?.click(); return found !== null";

/// A session of the web driver.
pub(crate) struct Page {
    client: Client,
    name: &'static str,
}

/// Where a picture is kept.
pub(crate) fn artifact(name: &str) -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/artifacts"));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}.png"))
}

/// Elements are named by their test id, or by a selector that begins with a bracket.
fn css(name: &str) -> String {
    if name.starts_with('[') { name.to_owned() } else { format!("[data-testid=\"{name}\"]") }
}

impl Page {
    /// Starts the program and looks at its page. Pictures begin with `name`.
    pub(crate) async fn open(rig: &Rig, name: &'static str) -> Self {
        let options = serde_json::json!({ "binary": APP, "args": [] });
        let wanted = serde_json::json!({ "webkitgtk:browserOptions": options });
        let wanted = wanted.as_object().unwrap();
        let url = format!("http://127.0.0.1:{}", rig.driver_port);
        let deadline = Instant::now() + CONNECT_WITHIN;
        loop {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            match builder.capabilities(wanted.clone()).connect(&url).await {
                Ok(client) => return Self { client, name },
                Err(error) => assert!(Instant::now() < deadline, "{error}; log:\n{}", rig.log()),
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Ends the session, and with it the program.
    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }

    /// Lets go of a session whose window is gone.
    pub(crate) fn forget(self) {
        drop(self.client);
    }

    /// Waits until an element is there.
    pub(crate) async fn shows(&self, testid: &str) {
        self.until(testid, "is there", async |_| true).await;
    }

    /// Waits until no such element is there.
    pub(crate) async fn vanishes(&self, testid: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.find(testid).await.is_some() {
            assert!(Instant::now() < deadline, "{testid} stays");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until an element's text contains these words.
    pub(crate) async fn reads(&self, testid: &str, words: &str) {
        let has_words =
            async |element: Element| element.text().await.is_ok_and(|text| text.contains(words));
        self.until(testid, &format!("reads {words:?}"), has_words).await;
    }

    /// Waits until an element has this attribute.
    pub(crate) async fn is(&self, testid: &str, attribute: &str, value: &str) {
        self.is_one_of(testid, attribute, &[value]).await;
    }

    /// Waits until an element's attribute is one of these.
    pub(crate) async fn is_one_of(&self, testid: &str, attribute: &str, values: &[&str]) {
        let has_value = async |element: Element| {
            let found = element.attr(attribute).await.ok().flatten();
            found.is_some_and(|found| values.contains(&found.as_str()))
        };
        self.until(testid, &format!("has {attribute} of {values:?}"), has_value).await;
    }

    /// Waits until the number in an element is as expected.
    pub(crate) async fn reads_number(&self, testid: &str, is_expected: impl Fn(u64) -> bool) {
        let is_right = async |element: Element| {
            let text = element.text().await.unwrap_or_default();
            parse_number(&text).is_some_and(&is_expected)
        };
        self.until(testid, "counts as expected", is_right).await;
    }

    /// The number in an element.
    pub(crate) async fn number(&self, testid: &str) -> Option<u64> {
        parse_number(&self.find(testid).await?.text().await.ok()?)
    }

    /// Clicks an element, once it is there.
    pub(crate) async fn click(&self, testid: &str) {
        let clicks = async |element: Element| element.click().await.is_ok();
        self.until(testid, "can be clicked", clicks).await;
    }

    /// Chooses an option of a list.
    pub(crate) async fn choose(&self, testid: &str, value: &str) {
        let chooses = async |element: Element| element.select_by_value(value).await.is_ok();
        self.until(testid, &format!("offers {value}"), chooses).await;
    }

    /// Brings an element into view.
    pub(crate) async fn scroll_to(&self, testid: &str) {
        let script = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })";
        self.client.execute(script, vec![css(testid).into()]).await.unwrap();
    }

    /// Presses a button of a list that moves, where a click could meet its neighbour.
    pub(crate) async fn press_moving(&self, name: &str) {
        let presses = async |_| {
            let pressed = self.client.execute(PRESS, vec![css(name).into()]).await;
            pressed.is_ok_and(|pressed| pressed == true)
        };
        self.until(name, "can be pressed", presses).await;
    }

    /// Clicks an element that ends the program, and with it the session.
    pub(crate) async fn click_to_end(self, testid: &str) {
        self.shows(testid).await;
        if let Some(element) = self.find(testid).await {
            // The answer may be lost with the program.
            let _ = element.click().await;
        }
    }

    /// Takes a picture of the page.
    pub(crate) async fn picture(&self, name: &str) {
        let picture = self.screenshot().await.expect("a picture of the page");
        std::fs::write(artifact(&format!("{}-{name}", self.name)), picture).unwrap();
    }

    /// The driver waits for the next frame, and a page on which nothing moves draws none.
    async fn screenshot(&self) -> Option<Vec<u8>> {
        self.client.execute(MOVE, vec![]).await.ok()?;
        let picture = tokio::time::timeout(PICTURE_WITHIN, self.client.screenshot()).await;
        self.client.execute(REST, vec![]).await.ok()?;
        picture.ok()?.ok()
    }

    async fn find(&self, testid: &str) -> Option<Element> {
        self.client.find(Locator::Css(&css(testid))).await.ok()
    }

    /// Waits until an element is there and as expected.
    async fn until(
        &self,
        testid: &str,
        expectation: &str,
        is_expected: impl AsyncFn(Element) -> bool,
    ) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(element) = self.find(testid).await
                && is_expected(element).await
            {
                return;
            }
            if Instant::now() > deadline {
                self.give_up(testid, expectation).await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Keeps a picture of what is there instead, and fails.
    async fn give_up(&self, testid: &str, expectation: &str) -> ! {
        if let Some(picture) = self.screenshot().await {
            std::fs::write(artifact(&format!("{}-failed", self.name)), picture).unwrap();
        }
        let body = "return document.body.innerText";
        let text = self.client.execute(body, vec![]).await;
        panic!("never so: {testid} {expectation}; the page reads: {text:?}");
    }
}

/// A whole number, whatever marks its groups.
fn parse_number(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}
