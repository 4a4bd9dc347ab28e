#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pool_fuzz_bodies::http_request(data));
