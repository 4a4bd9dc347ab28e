mod difficulty;
mod handshake;
mod jobs;
mod properties;
mod rig;
mod submits;
