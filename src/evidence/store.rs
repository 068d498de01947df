//! The evidence folder: written once, hashed, verified on reading.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::decisions::Decisions;
use super::declared::Declared;
use super::{Answer, EvidenceId, Observation, Question, Source, hex};
use crate::files::{self, FileError};
use crate::names::{SubjectId, SubjectKind};
use crate::seen::NotObserved;

/// A segment holds at most this many observations.
const SEGMENT_OBSERVATIONS: usize = 10_000;
/// A line of a segment is at most this long.
const LINE_BYTES: u64 = 8 * 1024 * 1024;
const MANIFEST: &str = "manifest.json";
const MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

/// Says what the folder holds and how it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    pub kind: String,
    pub tool_version: String,
    /// SHA-256 of the scope file; empty for a scan of bare domains.
    pub scope_sha256: String,
    pub vantage: Vantage,
    pub started_at: Timestamp,
    /// The end of collection: the moment everything is judged against.
    pub as_of: Timestamp,
    /// Whether collection came to its end.
    pub complete: bool,
    pub segments: Vec<Segment>,
}

/// Where the questions were asked from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vantage {
    pub label: String,
    /// The recursive resolvers asked.
    pub resolvers: Vec<String>,
    /// Whether any host answered on port 25 from here; `None` where none was asked.
    pub port_25_reachable: Option<bool>,
    /// Test-network options in force, printed on the report's cover.
    pub test_network: Vec<String>,
}

/// One file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The file name without `.jsonl`.
    pub name: String,
    pub source: Source,
    pub subject_kind: SubjectKind,
    pub observations: usize,
    pub bytes: u64,
    pub sha256: String,
}

/// Why evidence could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("evidence in {} has no readable manifest: {why}", path.display())]
    Manifest { path: PathBuf, why: String },
    #[error("evidence was altered: {segment} has SHA-256 {found}, the manifest says {expected}")]
    Altered { segment: String, expected: String, found: String },
    #[error("evidence {segment}, line {line} cannot be read: {why}")]
    Line { segment: String, line: usize, why: String },
    #[error("{} already holds finished evidence; it is never written over: choose another folder", path.display())]
    Exists { path: PathBuf },
    #[error("a segment is named `{name}`; only a-z, 0-9, `.`, `_` and `-` may stand in it")]
    Name { name: String },
}

/// Writes an evidence folder.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
}

impl Writer {
    /// Takes a folder without finished evidence in it, or makes one. What an interrupted run
    /// wrote is taken away: its journal holds the same and more.
    pub fn create(folder: &Path) -> Result<Self, EvidenceError> {
        let manifest = folder.join(MANIFEST);
        if manifest.exists() {
            let interrupted = files::read_bounded(&manifest, MANIFEST_BYTES)
                .ok()
                .and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok())
                .filter(|manifest| !manifest.complete)
                .ok_or_else(|| EvidenceError::Exists { path: folder.to_owned() })?;
            for segment in &interrupted.segments {
                // One that is gone already is as good as removed.
                let _ = std::fs::remove_file(segment_path(folder, &segment.name)?);
            }
            std::fs::remove_file(&manifest).map_err(|source| FileError::Write { path: manifest, source })?;
        }
        files::make_folder(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Writes everything, sorted so that the order of answers leaves no trace, and the manifest
    /// last: without it the folder is an unfinished run. What is given back is what a reader of
    /// the folder gets; nothing is read again to find that out.
    pub fn finish(self, mut observations: Vec<Observation>, mut manifest: Manifest) -> Result<Evidence, EvidenceError> {
        // The sort is stable, so equal questions keep their order on any number of cores.
        observations.par_sort_by(|a, b| {
            (a.source, &a.subject, &a.question, &a.vantage).cmp(&(b.source, &b.subject, &b.question, &b.vantage))
        });
        let mut chunks: Vec<(String, &[Observation])> = Vec::new();
        for same in observations.chunk_by(|a, b| (a.source, a.kind()) == (b.source, b.kind())) {
            let name = same[0].segment();
            for (number, chunk) in same.chunks(SEGMENT_OBSERVATIONS).enumerate() {
                let name = if number == 0 { name.clone() } else { format!("{name}.{:04}", number + 1) };
                chunks.push((name, chunk));
            }
        }
        manifest.segments =
            chunks.par_iter().map(|(name, chunk)| self.write_segment(name.clone(), chunk)).collect::<Result<_, _>>()?;
        let text = serde_json::to_vec_pretty(&manifest).expect("a manifest holds only text, numbers and dates");
        files::write_whole(&self.folder.join(MANIFEST), &text)?;
        let ids = manifest
            .segments
            .iter()
            .flat_map(|segment| (1..=segment.observations).map(|line| EvidenceId::new(&segment.name, line)));
        let observations: Vec<_> = ids.zip(observations).collect();
        let digest = hex(&Sha256::digest(&text));
        Ok(Evidence::of(vec![manifest], digest.clone(), vec![digest], observations, BTreeSet::new()))
    }

    fn write_segment(&self, name: String, observations: &[Observation]) -> Result<Segment, EvidenceError> {
        let mut bytes = Vec::new();
        for (index, observation) in observations.iter().enumerate() {
            let before = bytes.len();
            serde_json::to_writer(&mut bytes, observation).expect("an observation holds only text, numbers and dates");
            if (bytes.len() - before) as u64 > LINE_BYTES {
                // Nobody could read it back.
                let why = format!("longer than {LINE_BYTES} bytes");
                return Err(EvidenceError::Line { segment: name, line: index + 1, why });
            }
            bytes.push(b'\n');
        }
        let first = observations.first().expect("chunks are never empty");
        let segment = Segment {
            source: first.source,
            subject_kind: first.subject.kind,
            observations: observations.len(),
            bytes: bytes.len() as u64,
            sha256: hex(&Sha256::digest(&bytes)),
            name,
        };
        files::write_whole(&segment_path(&self.folder, &segment.name)?, &bytes)?;
        Ok(segment)
    }
}

fn segment_path(folder: &Path, name: &str) -> Result<PathBuf, EvidenceError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(allowed) {
        return Err(EvidenceError::Name { name: crate::text::visible(name) });
    }
    Ok(folder.join(format!("{name}.jsonl")))
}

/// Evidence that was read and whose hashes hold.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// One for each folder, in the order they were joined; never empty.
    pub manifests: Vec<Manifest>,
    /// SHA-256 of the manifest's bytes: it covers every segment. Of several folders: over their
    /// digests, sorted.
    pub digest: String,
    /// The digests of the folders that hold everything observed, decisions left aside.
    whole: Vec<String>,
    observations: Vec<(EvidenceId, Observation)>,
    missing: BTreeSet<(Source, SubjectKind)>,
    /// Indices into `observations`, in the order of their subjects.
    by_subject: Vec<usize>,
}

impl Evidence {
    /// Reads a folder. A segment that is not there is remembered as missing; one whose bytes
    /// changed is refused.
    pub fn read(folder: &Path) -> Result<Self, EvidenceError> {
        let manifest_path = folder.join(MANIFEST);
        let bytes = files::read_bounded(&manifest_path, MANIFEST_BYTES)
            .map_err(|error| EvidenceError::Manifest { path: folder.to_owned(), why: error.to_string() })?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| EvidenceError::Manifest { path: folder.to_owned(), why: error.to_string() })?;
        if manifest.schema != 1 || manifest.kind != "evidence" {
            let why = format!("schema {} of kind `{}`, expected 1 of `evidence`", manifest.schema, manifest.kind);
            return Err(EvidenceError::Manifest { path: folder.to_owned(), why });
        }
        let digest = hex(&Sha256::digest(&bytes));
        let read: Vec<Option<Vec<(EvidenceId, Observation)>>> = manifest
            .segments
            .par_iter()
            .map(|segment| {
                let path = segment_path(folder, &segment.name)?;
                if path.exists() { read_segment(&path, segment).map(Some) } else { Ok(None) }
            })
            .collect::<Result<_, EvidenceError>>()?;
        let mut observations = Vec::with_capacity(read.iter().flatten().map(Vec::len).sum());
        let mut missing = BTreeSet::new();
        for (segment, read) in manifest.segments.iter().zip(read) {
            match read {
                Some(read) => observations.extend(read),
                None => _ = missing.insert((segment.source, segment.subject_kind)),
            }
        }
        Ok(Self::of(vec![manifest], digest.clone(), vec![digest], observations, missing))
    }

    fn of(
        manifests: Vec<Manifest>,
        digest: String,
        whole: Vec<String>,
        observations: Vec<(EvidenceId, Observation)>,
        missing: BTreeSet<(Source, SubjectKind)>,
    ) -> Self {
        let mut by_subject: Vec<usize> = (0..observations.len()).collect();
        by_subject.par_sort_by(|&a, &b| observations[a].1.subject.cmp(&observations[b].1.subject));
        Self { manifests, digest, whole, observations, missing, by_subject }
    }

    /// Joins collections made in different places. An answer beats a question nobody answered;
    /// the same answer counts once; different answers are both kept, and facts take the worst.
    pub fn join(folders: Vec<Self>) -> Option<Self> {
        if folders.len() < 2 {
            return folders.into_iter().next();
        }
        let digests: Vec<String> = folders.iter().map(|folder| folder.digest.clone()).collect();
        let mut sorted = digests.clone();
        sorted.sort();
        let digest = hex(&Sha256::digest(sorted.concat().as_bytes()));
        // For each observation the folders that hold it, as bits; those after the 64th hold nothing whole.
        let mut held: Vec<u64> = Vec::new();
        let mut manifests = Vec::new();
        let mut missing = BTreeSet::new();
        let mut observations: Vec<(EvidenceId, Observation)> = Vec::new();
        let mut asked: BTreeMap<(Source, SubjectId, Question), Vec<usize>> = BTreeMap::new();
        for (number, folder) in folders.into_iter().enumerate() {
            manifests.extend(folder.manifests);
            missing.extend(folder.missing);
            for (id, observation) in folder.observations {
                let id = EvidenceId::new(&format!("{}/{}", number + 1, id.segment()), id.line());
                let key = (observation.source, observation.subject.clone(), observation.question.clone());
                let known = asked.entry(key).or_default();
                let here = u32::try_from(number).ok().and_then(|number| 1_u64.checked_shl(number)).unwrap_or(0);
                let same = known.iter().copied().find(|&index| observations[index].1.answer == observation.answer);
                let unanswered = known.iter().copied().find(|&index| observations[index].1.answer.is_err());
                match (same, unanswered, &observation.answer) {
                    (Some(index), _, _) => held[index] |= here,
                    (None, Some(index), Ok(_)) => {
                        observations[index] = (id, observation);
                        held[index] = here;
                    }
                    (None, _, Err(_)) if !known.is_empty() => {}
                    (None, None, Ok(_)) | (None, _, Err(_)) => {
                        known.push(observations.len());
                        observations.push((id, observation));
                        held.push(here);
                    }
                }
            }
        }
        let others = observations.iter().zip(&held).filter(|((_, seen), _)| seen.question != Question::Decisions);
        let by_all = others.fold(u64::MAX, |all, (_, folders)| all & folders);
        let whole = digests.into_iter().enumerate().filter(|(number, _)| *number < 64 && by_all >> number & 1 == 1);
        let whole = whole.map(|(_, digest)| digest).collect();
        Some(Self::of(manifests, digest, whole, observations, missing))
    }

    /// Whether one joined folder whose digest begins like this holds everything but decisions: what
    /// two folders say alike counts as held by both.
    pub fn rests_on(&self, digest: &str) -> bool {
        self.whole.iter().any(|known| known.starts_with(digest))
    }

    /// The end of collection; of several folders, the latest.
    pub fn as_of(&self) -> Timestamp {
        self.manifests.iter().map(|manifest| manifest.as_of).max().expect("evidence has at least one manifest")
    }

    /// Everything observed, in the folder's order.
    pub fn all(&self) -> impl Iterator<Item = (&EvidenceId, &Observation)> {
        self.observations.iter().map(|(id, observation)| (id, observation))
    }

    /// Everything observed of one subject.
    pub fn about(&self, subject: &SubjectId) -> impl Iterator<Item = (&EvidenceId, &Observation)> + use<'_> {
        let of = |index: &usize| &self.observations[*index].1.subject;
        let from = self.by_subject.partition_point(|index| of(index) < subject);
        let to = self.by_subject.partition_point(|index| of(index) <= subject);
        self.by_subject[from..to].iter().map(|&index| {
            let (id, observation) = &self.observations[index];
            (id, observation)
        })
    }

    /// Everything from one source.
    pub fn from(&self, source: Source) -> impl Iterator<Item = (&EvidenceId, &Observation)> {
        self.all().filter(move |(_, observation)| observation.source == source)
    }

    /// The subjects of one kind, in order.
    pub fn subjects(&self, kind: SubjectKind) -> impl Iterator<Item = &SubjectId> {
        self.by_subject
            .chunk_by(|&a, &b| self.observations[a].1.subject == self.observations[b].1.subject)
            .map(|same| &self.observations[same[0]].1.subject)
            .filter(move |subject| subject.kind == kind)
    }

    /// The reason, if a segment of this source and kind was taken away. Facts that rest on it are
    /// unknown, never absent.
    pub fn taken_away(&self, source: Source, kind: SubjectKind) -> Option<NotObserved> {
        self.missing
            .contains(&(source, kind))
            .then(|| NotObserved::NotProvided { what: format!("the evidence segment {}.{kind}", source.as_str()) })
    }

    /// As [`Self::taken_away`], for any kind of this source.
    pub fn source_taken_away(&self, source: Source) -> Option<NotObserved> {
        let (_, kind) = self.missing.iter().find(|(missing, _)| *missing == source)?;
        self.taken_away(source, *kind)
    }

    /// What the organization decided; of several collections, the newest. Empty where its folder
    /// holds no such file.
    pub fn decisions(&self) -> Option<(&EvidenceId, &Decisions)> {
        let found = self.from(Source::Declared).filter_map(|(id, observation)| match &observation.answer {
            Ok(Answer::Decisions(decisions)) => Some((observation.asked_at, id, decisions.as_ref())),
            Ok(_) | Err(_) => None,
        });
        found.max_by_key(|(asked_at, id, _)| (*asked_at, *id)).map(|(_, id, decisions)| (id, decisions))
    }

    /// What the scope declared; an error where that segment was taken away.
    pub fn declared(&self) -> Result<(&EvidenceId, &Declared), NotObserved> {
        self.from(Source::Declared)
            .find_map(|(id, observation)| match &observation.answer {
                Ok(Answer::Declared(declared)) => Some((id, declared.as_ref())),
                _ => None,
            })
            .ok_or_else(|| NotObserved::NotProvided { what: "the evidence segment declared.organization".to_owned() })
    }
}

fn read_segment(path: &Path, segment: &Segment) -> Result<Vec<(EvidenceId, Observation)>, EvidenceError> {
    // The manifest states the size, so a grown file is caught without reading all of it.
    let bytes = match files::read_bounded(path, segment.bytes) {
        Ok(bytes) => bytes,
        Err(FileError::TooLarge { .. }) => {
            let found = format!("more than {} bytes", segment.bytes);
            return Err(EvidenceError::Altered {
                segment: segment.name.clone(),
                expected: segment.sha256.clone(),
                found,
            });
        }
        Err(error) => return Err(error.into()),
    };
    let found = hex(&Sha256::digest(&bytes));
    if found != segment.sha256 {
        return Err(EvidenceError::Altered { segment: segment.name.clone(), expected: segment.sha256.clone(), found });
    }
    let mut observations = Vec::new();
    for (index, line) in bytes.lines().enumerate() {
        let line_number = index + 1;
        let refuse = |why: String| EvidenceError::Line { segment: segment.name.clone(), line: line_number, why };
        let line = line.map_err(|error| refuse(error.to_string()))?;
        if line.len() as u64 > LINE_BYTES {
            return Err(refuse(format!("longer than {LINE_BYTES} bytes")));
        }
        let observation = serde_json::from_str(&line).map_err(|error| refuse(error.to_string()))?;
        observations.push((EvidenceId::new(&segment.name, line_number), observation));
    }
    Ok(observations)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::evidence::Question;

    /// A manifest for tests, judged at noon of 2026-10-01.
    pub(crate) fn manifest() -> Manifest {
        let as_of: Timestamp = "2026-10-01T12:00:00Z".parse().unwrap();
        Manifest {
            schema: 1,
            kind: "evidence".to_owned(),
            tool_version: "0".to_owned(),
            scope_sha256: String::new(),
            vantage: Vantage {
                label: "test".to_owned(),
                resolvers: Vec::new(),
                port_25_reachable: None,
                test_network: Vec::new(),
            },
            started_at: as_of,
            as_of,
            complete: true,
            segments: Vec::new(),
        }
    }

    fn mx(domain: &str, answer: Result<Answer, NotObserved>) -> Observation {
        Observation { answer, ..timed_out(domain) }
    }

    fn answered(rcode: &str) -> Result<Answer, NotObserved> {
        Ok(Answer::Dns(crate::evidence::network::DnsAnswer {
            server: "192.0.2.53:53".to_owned(),
            transport: "udp".to_owned(),
            rcode: rcode.to_owned(),
            dnssec: "insecure".to_owned(),
            message: crate::evidence::ReceivedBytes::default(),
        }))
    }

    #[test]
    fn an_answer_from_elsewhere_beats_silence_here_and_two_answers_are_both_kept() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, observations: Vec<Observation>| {
            Writer::create(&folder.path().join(name)).unwrap().finish(observations, manifest()).unwrap()
        };
        let here = write("here", vec![timed_out("a.example"), mx("b.example", answered("NOERROR"))]);
        let there = write("there", vec![mx("a.example", answered("NXDOMAIN")), mx("b.example", answered("NXDOMAIN"))]);
        let joined = Evidence::join(vec![here.clone(), there.clone()]).unwrap();
        assert_eq!(joined.all().filter(|(_, observation)| observation.answer.is_err()).count(), 0);
        assert_eq!(joined.about(&SubjectId::new(SubjectKind::Domain, "a.example")).count(), 1);
        assert_eq!(joined.about(&SubjectId::new(SubjectKind::Domain, "b.example")).count(), 2);
        assert_eq!(joined.digest, Evidence::join(vec![there.clone(), here.clone()]).unwrap().digest);
        assert!(!joined.rests_on(&here.digest) && !joined.rests_on(&there.digest), "each adds something");
        for both in [vec![here.clone(), here.clone()], vec![joined.clone()]] {
            assert_eq!(both.len() == 2, Evidence::join(both).unwrap().rests_on(&here.digest));
        }
    }

    fn timed_out(domain: &str) -> Observation {
        Observation {
            subject: SubjectId::new(SubjectKind::Domain, domain),
            source: Source::Dns,
            question: Question::Dns { name: domain.to_owned(), record_type: "MX".to_owned() },
            asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
            took_ms: 5,
            vantage: "test".to_owned(),
            answer: Err(NotObserved::TimedOut { after_ms: 5 }),
        }
    }

    #[test]
    fn the_order_of_answers_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, domains: [&str; 2]| {
            let writer = Writer::create(&folder.path().join(name)).unwrap();
            writer.finish(domains.map(timed_out).to_vec(), manifest()).unwrap().digest
        };
        assert_eq!(write("one", ["a.example", "b.example"]), write("two", ["b.example", "a.example"]));
    }

    #[test]
    fn an_altered_segment_is_refused_and_a_missing_one_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::create(folder.path()).unwrap();
        writer.finish(vec![timed_out("a.example")], manifest()).unwrap();
        let segment = folder.path().join("dns.domain.jsonl");
        let text = std::fs::read_to_string(&segment).unwrap();
        std::fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(0).unwrap();
        assert!(matches!(Evidence::read(folder.path()), Err(EvidenceError::Altered { .. })));
        files::write_whole(&segment, text.replace("a.example", "b.example").as_bytes()).unwrap();
        assert!(matches!(Evidence::read(folder.path()), Err(EvidenceError::Altered { .. })));
        std::fs::remove_file(&segment).unwrap();
        let evidence = Evidence::read(folder.path()).unwrap();
        assert!(evidence.taken_away(Source::Dns, SubjectKind::Domain).is_some());
        assert!(evidence.taken_away(Source::Export, SubjectKind::Mailbox).is_none());
    }

    #[test]
    fn what_was_written_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut observations: Vec<_> =
            (0..25_000).map(|number| timed_out(&format!("d{}.example", number % 20_000))).collect();
        observations.push(mx("b.example", answered("NOERROR")));
        let written = Writer::create(folder.path()).unwrap().finish(observations, manifest()).unwrap();
        let read = Evidence::read(folder.path()).unwrap();
        assert_eq!(written.digest, read.digest);
        assert_eq!(written.manifests, read.manifests);
        assert_eq!(written.manifests[0].segments.len(), 3);
        assert!(written.all().eq(read.all()));
        let twice = SubjectId::new(SubjectKind::Domain, "d7.example");
        assert_eq!(read.about(&twice).count(), 2);
        assert_eq!(read.subjects(SubjectKind::Domain).count(), 20_001);
    }

    #[test]
    fn finished_evidence_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        Writer::create(folder.path()).unwrap().finish(Vec::new(), manifest()).unwrap();
        assert!(matches!(Writer::create(folder.path()), Err(EvidenceError::Exists { .. })));
    }
}
