//! Types and codecs of this protocol.
