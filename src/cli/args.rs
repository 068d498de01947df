//! The command line. The only file that names clap.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::collect::messages::MessageReference;
use crate::collect::network::{ConnectTo, Network, NetworkOptions};
use crate::names::DomainName;
use crate::report::json::v1::Severity;
use crate::report::theme::{Theme, ThemeError};
use crate::report::{Look, Paper};
use crate::risk::LikelihoodRule;

/// Assesses an organization's e-mail against the HIPAA Security Rule and writes a documented risk analysis.
#[derive(Debug, Parser)]
#[command(name = "mailassay", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 clean and complete, 1 error, 2 findings at or above --fail-on, 3 drift gate,\n\
4 too little assessed, 64 usage or unreadable configuration, 130 interrupted (state saved).\n\
stdout is the result, stderr everything else.")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
    /// Say nothing on stderr but errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to colour what is for people.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Always,
    Auto,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Judge stored evidence again, without network.
    Assess(AssessArgs),
    /// List and test the checks.
    Checks(ChecksArgs),
    /// Ask the world and store the evidence; judge nothing.
    Collect(CollectArgs),
    /// Print a completion script for a shell.
    Completions { shell: clap_complete::Shell },
    /// Count PHI in mail: by mailbox, folder, kind and age. No value is ever shown.
    Content(ContentArgs),
    /// Assess an invented clinic on this machine, twice, and write its reports.
    Demo(DemoArgs),
    /// Say what changed between two assessments.
    Diff(DiffArgs),
    /// Tell one check, finding or risk of an assessment: what, why, what to do, how we know.
    Explain(ExplainArgs),
    /// Say what an export folder or file holds and how far it could be read.
    Ingest(IngestArgs),
    /// Print the manual page.
    Man,
    /// Put a report with its evidence and documents into one folder or zip file to hand over.
    Package(PackageArgs),
    /// Read PDF files from standard input, apart from the rest of the program.
    #[command(hide = true)]
    PdfText,
    /// Edit the risk management plan in a spreadsheet, and list what falls due.
    #[command(subcommand)]
    Plan(PlanAction),
    /// Ask one host or domain and show what it says.
    Probe(ProbeArgs),
    /// Fill in the questionnaire in a spreadsheet.
    #[command(subcommand)]
    Questionnaire(QuestionnaireAction),
    /// Run mail servers that are broken on purpose and say whether outgoing TLS is enforced.
    Receive(ReceiveArgs),
    /// List the registers, write their empty tables, and see which rows would be taken.
    #[command(subcommand)]
    Register(RegisterAction),
    /// Write the reports of a stored assessment again.
    Report(ReportArgs),
    /// Collect, assess and report in one go.
    Scan(ScanArgs),
    /// Make a report again from its evidence and say whether every byte is the same.
    Verify(VerifyArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum PlanAction {
    /// List what falls due: decisions, answers, agreements, certificates, items, reviews.
    Due(PlanDueArgs),
    /// Write the plan as a table to edit (.csv or .xlsx).
    Export(PlanExportArgs),
    /// Show what an edited table changes, row by row, and take it with --write.
    Import(PlanImportArgs),
}

#[derive(Debug, Args)]
pub(super) struct PlanDueArgs {
    /// The assessment.json to read.
    #[arg(value_name = "FILE")]
    pub assessment: PathBuf,
    /// Days after the assessment; what is past is always listed.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub within: u32,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    pub format: DueFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DueFormat {
    /// An iCalendar file.
    Ics,
    Json,
    Text,
}

#[derive(Debug, Args)]
pub(super) struct PlanExportArgs {
    /// The assessment.json to read.
    #[arg(value_name = "FILE")]
    pub assessment: PathBuf,
    /// The table to write; its name says which form. It must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct PlanImportArgs {
    /// The edited table (.csv or .xlsx).
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The assessment.json the plan belongs to.
    #[arg(long, value_name = "FILE")]
    pub assessment: PathBuf,
    /// The client's scope.yaml; the plan lies beside it.
    #[arg(long, value_name = "FILE")]
    pub scope: PathBuf,
    /// Write the accepted rows into plan.yaml.
    #[arg(long)]
    pub write: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum RegisterAction {
    /// Say of each register file which rows are taken and why others are not.
    Check(RegisterCheckArgs),
    /// Say which registers there are.
    List(RegisterListArgs),
    /// Print the columns of a register as JSON: what each holds and whether it may be empty.
    Schema {
        /// `incidents`, `leavers`, …: see `register list`.
        #[arg(value_name = "REGISTER")]
        register: String,
    },
    /// Print the empty table of a register as CSV, or write it into a folder of registers.
    Template(RegisterTemplateArgs),
}

#[derive(Debug, Args)]
pub(super) struct RegisterCheckArgs {
    /// Files named as their register, or folders of them.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct RegisterListArgs {
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct RegisterTemplateArgs {
    /// `incidents`, `leavers`, …: see `register list`.
    #[arg(value_name = "REGISTER")]
    pub register: String,
    /// The folder to write it into, under its own name. It must not be there yet.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum QuestionnaireAction {
    /// Write the questions with the answers there are (.yaml, .csv or .xlsx).
    Export(QuestionnaireExportArgs),
    /// Show what a filled-in table changes, row by row, and take it with --write.
    Import(QuestionnaireImportArgs),
}

#[derive(Debug, Args)]
pub(super) struct QuestionnaireExportArgs {
    /// An assessment.json whose facts are written beside the questions.
    #[arg(long, value_name = "FILE")]
    pub assessment: Option<PathBuf>,
    /// The client's scope.yaml, for the answers there are.
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// The file to write; its name says which form. It must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct QuestionnaireImportArgs {
    /// The filled-in table (.csv or .xlsx).
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The client's scope.yaml, which says where the answers lie.
    #[arg(long, value_name = "FILE")]
    pub scope: PathBuf,
    /// Write the accepted answers.
    #[arg(long)]
    pub write: bool,
}

#[derive(Debug, Args)]
#[group(id = "scan_target", args = ["domains", "scope"], required = true, multiple = false)]
pub(super) struct ScanArgs {
    /// Domains to ask in public only, where there is no scope.
    #[arg(value_name = "DOMAIN")]
    pub domains: Vec<String>,
    /// What may be examined.
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// The folder to write; it must be empty, absent or an unfinished run of the same scope.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub sources: SourceArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub paper: PaperArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
#[group(id = "collect_target", args = ["domains", "scope"], required = true, multiple = false)]
pub(super) struct CollectArgs {
    /// Domains to ask in public only, where there is no scope.
    #[arg(value_name = "DOMAIN")]
    pub domains: Vec<String>,
    /// What may be examined.
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// The evidence folder to write.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub sources: SourceArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// Collect from these sources only; join the rest later with `assess --evidence A --evidence B`.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SOURCE")]
    pub only: Vec<Area>,
    /// An evidence folder of the last 24 hours: services that answered there are not asked again.
    #[arg(long, value_name = "DIR")]
    pub reuse: Option<PathBuf>,
    /// A list of patients (CSV or XLSX: name, birth date, record number) to count in the scope's mail;
    /// read, never stored; repeatable.
    #[arg(long, value_name = "FILE")]
    pub roster: Vec<PathBuf>,
    /// Examine only so many messages of the scope's mail, chosen by keyed hash. The report gives bounds for
    /// all; checks of mailboxes that were not examined whole are then not assessed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
}

/// What can be collected by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Area {
    Answers,
    Dns,
    Exports,
    Messages,
    Registers,
    Reports,
    Tls,
}

#[derive(Debug, Args)]
pub(super) struct AssessArgs {
    /// An evidence folder; give several to join collections made in different places.
    #[arg(long, value_name = "DIR", required = true)]
    pub evidence: Vec<PathBuf>,
    /// Judge as of this moment or day instead of the end of collection; what expired by then counts as expired.
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub as_of: Option<Timestamp>,
    /// The folder to write; without it the assessment goes to stdout as JSON.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub paper: PaperArgs,
}

/// How the files for paper are made.
#[derive(Clone, Debug, Args)]
pub(super) struct PaperArgs {
    /// The paper of the PDF files and of the summary.
    #[arg(long, value_enum, value_name = "SIZE", default_value = "letter")]
    pub paper: PaperArg,
    /// A folder with theme.yaml (logo, colour, names, cover text) and templates in place of ours.
    #[arg(long, value_name = "DIR")]
    pub theme: Option<PathBuf>,
    /// Print cases of enforcement about mail in appendix D, as context, with their sources.
    #[arg(long)]
    pub enforcement: bool,
}

impl PaperArgs {
    /// How the report looks.
    pub fn look<'a>(&self, theme: Option<&'a Theme>) -> Look<'a> {
        Look { paper: self.paper.into(), theme, enforcement: self.enforcement }
    }

    /// The theme, read and checked.
    pub fn theme(&self) -> Result<Option<Theme>, ThemeError> {
        self.theme.as_deref().map(Theme::read).transpose()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PaperArg {
    A4,
    Letter,
}

impl From<PaperArg> for Paper {
    fn from(argument: PaperArg) -> Self {
        match argument {
            PaperArg::A4 => Self::A4,
            PaperArg::Letter => Self::Letter,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LikelihoodArg {
    LowerOfBoth,
    NistG5,
}

impl From<LikelihoodArg> for LikelihoodRule {
    fn from(argument: LikelihoodArg) -> Self {
        match argument {
            LikelihoodArg::LowerOfBoth => Self::LowerOfBoth,
            LikelihoodArg::NistG5 => Self::NistG5,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct JudgingArgs {
    /// A folder of the organization's own checks, added to the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub checks: Option<PathBuf>,
    /// How likelihood is made of attempt and success: the lower of both, or table G-5 of NIST SP 800-30r1.
    #[arg(long, value_enum, value_name = "RULE", default_value = "lower-of-both")]
    pub likelihood: LikelihoodArg,
    /// Exit 2 when a finding is at least this severe.
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub fail_on: SeverityArg,
    /// Exit 4 when fewer percent of the declared checks could be assessed.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_coverage: u8,
    /// Exit 4 when a check of one of these areas could not be assessed: transport, sender-identity, mailboxes, …
    #[arg(long, value_delimiter = ',', value_name = "AREA")]
    pub require: Vec<String>,
    /// Compare with this earlier assessment.json and report what changed.
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    /// Exit 3 when the comparison shows something added, worsened, reopened or lapsed.
    #[arg(long, requires = "since")]
    pub fail_on_drift: bool,
    /// Exit 0 whatever was found, for jobs that only report.
    #[arg(long)]
    pub exit_zero: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SeverityArg {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Default for JudgingArgs {
    /// What the command line gives when nothing is said.
    fn default() -> Self {
        Self {
            likelihood: LikelihoodArg::LowerOfBoth,
            checks: None,
            fail_on: SeverityArg::High,
            min_coverage: 0,
            require: Vec::new(),
            since: None,
            fail_on_drift: false,
            exit_zero: false,
        }
    }
}

impl From<SeverityArg> for Severity {
    fn from(argument: SeverityArg) -> Self {
        match argument {
            SeverityArg::Info => Self::Info,
            SeverityArg::Low => Self::Low,
            SeverityArg::Medium => Self::Medium,
            SeverityArg::High => Self::High,
            SeverityArg::Critical => Self::Critical,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The assessment.json to show.
    #[arg(value_name = "FILE")]
    pub assessment: PathBuf,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub paper: PaperArgs,
}

#[derive(Debug, Args)]
pub(super) struct PackageArgs {
    /// The report folder, with the evidence in it.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The folder to write, or the file with --zip.
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// The client's folder: documents with the bytes that were assessed are enclosed.
    #[arg(long, value_name = "DIR")]
    pub documents: Option<PathBuf>,
    /// The evidence, where it lies elsewhere; repeat for several [default: DIR/evidence].
    #[arg(long, value_name = "DIR")]
    pub evidence: Vec<PathBuf>,
    /// The assessment.json it was compared with [default: looked for beside DIR].
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    /// The theme the report was made with.
    #[arg(long, value_name = "DIR")]
    pub theme: Option<PathBuf>,
    /// Sign the manifest with this Ed25519 key (PEM, as from `openssl genpkey -algorithm ed25519`).
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Write one zip file.
    #[arg(long)]
    pub zip: bool,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A check's id, the beginning of a finding's fingerprint, or a risk (its id, or `risk 3`).
    #[arg(value_name = "CHECK|FINGERPRINT|RISK")]
    pub term: String,
    /// An assessment.json, or a folder with some [default: the newest here or in a folder below].
    #[arg(value_name = "PATH")]
    pub assessment: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The report folder, with the evidence in it.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The evidence, where it lies elsewhere; repeat for several [default: DIR/evidence].
    #[arg(long, value_name = "DIR")]
    pub evidence: Vec<PathBuf>,
    /// The organization's own checks the report was made with.
    #[arg(long, value_name = "DIR")]
    pub checks: Option<PathBuf>,
    /// The assessment.json it was compared with [default: looked for beside DIR].
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    /// The theme the report was made with [default: DIR/theme, as a package has it].
    #[arg(long, value_name = "DIR")]
    pub theme: Option<PathBuf>,
    /// The public key a package must be signed with (PEM).
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// The folder to write, one folder per quarter.
    #[arg(long, value_name = "DIR", default_value = "mailassay-demo")]
    pub out: PathBuf,
    #[command(flatten)]
    pub paper: PaperArgs,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The earlier assessment.json.
    pub old: PathBuf,
    /// The later assessment.json.
    pub new: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Exit 3 when something was added, worsened, reopened or lapsed.
    #[arg(long)]
    pub fail_on_drift: bool,
}

#[derive(Debug, Args)]
pub(super) struct ChecksArgs {
    #[command(subcommand)]
    pub verb: ChecksVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum ChecksVerb {
    /// List the checks.
    List {
        /// A folder of the organization's own checks, added to the built-in ones.
        #[arg(long, value_name = "DIR")]
        checks: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Load the checks and run every example in them.
    Test {
        /// A folder of the organization's own checks, added to the built-in ones.
        #[arg(long, value_name = "DIR")]
        checks: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct IngestArgs {
    /// Files or folders.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct ContentArgs {
    #[command(subcommand)]
    pub verb: Option<ContentVerb>,
    /// Mail files or folders (mbox, Maildir, single messages, Outlook's PST and OST); `-` reads one mbox
    /// from standard input.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Write one JSON line per message: a keyed reference and its level.
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub messages: Option<PathBuf>,
    /// The key of those references; keep it to compare two runs.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// A list of patients (CSV or XLSX: name, birth date, record number) to count in the mail; read,
    /// never stored; repeatable.
    #[arg(long, value_name = "FILE")]
    pub roster: Vec<PathBuf>,
    /// Examine only so many messages, chosen by keyed hash over all mail given; the report then gives
    /// bounds for the whole. Not with `-`.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
    /// Tell how mail of this domain arrived, over TLS or in clear; repeatable.
    #[arg(long, value_name = "DOMAIN", requires = "own_hosts")]
    pub partner: Vec<DomainName>,
    /// A mail host of the organization whose trace fields are believed; repeatable.
    #[arg(long = "own-host", value_name = "NAME", requires = "partner")]
    pub own_hosts: Vec<DomainName>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ContentVerb {
    /// Say of one message why it was counted and where it lies, never its text.
    Explain(ContentExplainArgs),
}

#[derive(Debug, Args)]
pub(super) struct ContentExplainArgs {
    /// The message's reference, as `content --messages` wrote it.
    #[arg(value_name = "REF", value_parser = clap::value_parser!(MessageReference))]
    pub reference: MessageReference,
    /// The mail files or folders it was counted in; `-` reads one mbox from standard input.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The key that the reference was made with.
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ReceiveArgs {
    /// The servers to run: name, address and behaviour of each.
    #[arg(value_name = "FILE")]
    pub setup: PathBuf,
    /// The recipients' part before the @; random if left out.
    #[arg(long, value_parser = token)]
    pub token: Option<String>,
    /// End after this time, such as 90s, 30m or 2h, even if messages are missing.
    #[arg(long, value_name = "TIME", value_parser = length, default_value = "30m")]
    pub wait: Duration,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    /// HOST:PORT asks a service, DOMAIN asks DNS and the MTA-STS policy host.
    #[arg(value_name = "TARGET", required_unless_present = "list", conflicts_with = "list")]
    pub target: Option<String>,
    /// A file of targets, one a line: host:port[,starttls=KIND][,server_name=NAME] or domain[,selector=NAME].
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// Targets of a list asked at once, from 1 to 256.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub at_once: u16,
    /// How TLS begins; the port decides where this is left out.
    #[arg(long, value_name = "KIND", value_parser = ["smtp", "imap", "pop3", "sieve", "none"])]
    pub starttls: Option<String>,
    /// `verdict` asks with few connections whether forbidden classes are accepted; `full` lists everything.
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// The name sent and expected in certificates, where it is not the host.
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// Also try whether bytes sent behind STARTTLS are acted on inside TLS: one connection, NOOP only.
    #[arg(long)]
    pub active_probes: bool,
    /// Show each question to DNS with server, transport, flags, time to live and time taken.
    #[arg(long)]
    pub evidence: bool,
    /// DKIM selectors to ask for.
    #[arg(long, value_name = "NAME")]
    pub selector: Vec<String>,
    /// Mail whose DKIM signatures name further selectors: messages, folders, mbox files. Only header sections are read.
    #[arg(long, value_name = "PATH")]
    pub headers: Vec<PathBuf>,
    /// DMARC aggregate reports and TLS reports (XML or JSON, gzip, zip, inside mail; files or folders): who sends in the domain's name and with which selectors, and how TLS with its mail hosts went.
    #[arg(long, value_name = "PATH")]
    pub reports: Vec<PathBuf>,
    /// An earlier assessment.json: since when it knows the DKIM keys that are published now.
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    Full,
    Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Json,
    Text,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(super) struct NetworkArgs {
    /// A recursive resolver to ask; repeat for several. Without it, the system's.
    #[arg(long, value_name = "IP[:PORT]", value_parser = resolver)]
    pub resolver: Vec<SocketAddr>,
    /// DNSKEY lines of a private root, for test networks.
    #[arg(long, value_name = "FILE")]
    pub trust_anchor: Option<PathBuf>,
    /// PEM certificates to trust instead of Mozilla's roots.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Connect elsewhere for one host and port, as in curl; repeatable.
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT", value_parser = connect_to)]
    pub connect_to: Vec<ConnectTo>,
    /// A loopback or private network that may be contacted; repeatable.
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub allow_net: Vec<Network>,
    /// For the whole collection [default: 20m, or the scope's].
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub deadline: Option<Duration>,
    /// Connections open at once to one port of one host [default: by port, 2 on port 25].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub max_connections: Option<u8>,
    /// New connections a second to one port of one host [default: by port, 4 on port 25].
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,
    /// The name said in EHLO.
    #[arg(long, value_name = "NAME")]
    pub ehlo: Option<String>,
    /// How long one connection may take.
    #[arg(long, value_name = "TIME", value_parser = length, default_value = "10s")]
    pub connection_deadline: Duration,
    /// How long one service may take, over all its connections.
    #[arg(long, value_name = "TIME", value_parser = length, default_value = "60s")]
    pub endpoint_deadline: Duration,
    /// How long one DNS question may take, all attempts together.
    #[arg(long, value_name = "TIME", value_parser = length, default_value = "6s")]
    pub dns_deadline: Duration,
    /// Ask nothing of any network.
    #[arg(long)]
    pub offline: bool,
    /// A name for where this machine stands, kept with each answer.
    #[arg(long, value_name = "LABEL", default_value = "here")]
    pub vantage: String,
}

impl NetworkArgs {
    /// The options with their defaults filled in.
    pub(super) fn options(self, limits: crate::scope::Limits) -> NetworkOptions {
        let defaults = NetworkOptions::default();
        NetworkOptions {
            resolvers: self.resolver,
            trust_anchor: self.trust_anchor,
            ca_file: self.ca_file,
            connect_to: self.connect_to,
            allow_net: self.allow_net,
            deadline: self.deadline.or(limits.deadline).unwrap_or(defaults.deadline),
            connection_deadline: self.connection_deadline,
            endpoint_deadline: self.endpoint_deadline,
            dns_deadline: self.dns_deadline,
            max_connections: self.max_connections.map(usize::from).or(limits.max_connections),
            rate: self.rate,
            ehlo: self.ehlo.unwrap_or(defaults.ehlo),
            offline: self.offline,
            vantage: self.vantage,
        }
    }
}

/// What came of reading the command line: a verb to run, or text to show and an exit code.
pub(super) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(arguments)
}

/// The command as clap sees it: for the manual page and completions.
pub(super) fn command() -> clap::Command {
    Cli::command()
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    if let Ok(with_port) = text.parse::<SocketAddr>() {
        return Ok(with_port);
    }
    text.trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .map(|address| SocketAddr::new(address, 53))
        .map_err(|_| "expected an address such as 9.9.9.9, 127.0.0.1:5353 or [::1]:5353".to_owned())
}

fn connect_to(text: &str) -> Result<ConnectTo, String> {
    let refuse = || "expected HOST:PORT:ADDR:PORT, for example mx1.clinic.example:25:127.0.0.1:2525".to_owned();
    let mut parts = text.splitn(3, ':');
    let (host, port, rest) = (parts.next(), parts.next(), parts.next());
    let (Some(host), Some(port), Some(rest)) = (host, port, rest) else { return Err(refuse()) };
    let to: SocketAddr = rest.parse().map_err(|_| refuse())?;
    let host: DomainName = host.parse().map_err(|error| format!("{error}"))?;
    Ok(ConnectTo { host: host.to_string(), port: port.parse().map_err(|_| refuse())?, to })
}

fn network(text: &str) -> Result<Network, String> {
    let refuse = || "expected a network such as 127.0.0.0/8 or fd00::/8".to_owned();
    let (address, prefix) = text.split_once('/').ok_or_else(refuse)?;
    let address: IpAddr = address.parse().map_err(|_| refuse())?;
    let prefix: u8 = prefix.parse().map_err(|_| refuse())?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    if prefix > longest { Err(refuse()) } else { Ok(Network { address, prefix }) }
}

fn length(text: &str) -> Result<Duration, String> {
    crate::units::duration(text)
        .filter(|length| !length.is_zero())
        .ok_or_else(|| "expected a length of time such as 500ms, 90s, 20m or 2h".to_owned())
}

fn token(text: &str) -> Result<String, String> {
    let sound = (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if sound { Ok(text.to_owned()) } else { Err("expected 4 to 64 letters, digits and hyphens".to_owned()) }
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|rate| (0.01..=1000.0).contains(rate))
        .ok_or_else(|| "expected connections a second, from 0.01 to 1000".to_owned())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        // A bare day means its end in UTC: what expires on that day has not expired before it.
        return day
            .at(23, 59, 59, 0)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(|moment| moment.timestamp())
            .map_err(|error| error.to_string());
    }
    text.parse::<Timestamp>()
        .map_err(|_| "expected a day such as 2026-12-31 or a moment such as 2026-12-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn addresses_ports_and_networks_are_read_and_nonsense_is_refused() {
        assert_eq!(resolver("9.9.9.9"), Ok("9.9.9.9:53".parse().unwrap()));
        assert_eq!(resolver("[::1]:5353"), Ok("[::1]:5353".parse().unwrap()));
        assert!(resolver("dns.example").is_err());
        let redirected = connect_to("MX1.clinic.example:25:127.0.0.1:2525").unwrap();
        assert_eq!((redirected.host.as_str(), redirected.port), ("mx1.clinic.example", 25));
        assert!(connect_to("mx1:25:127.0.0.1").is_err());
        assert!(network("127.0.0.0/33").is_err() && network("127.0.0.0/8").is_ok());
        assert!(length("0s").is_err() && length("2d").is_err());
        assert_eq!(moment("2026-12-31"), Ok("2026-12-31T23:59:59Z".parse().unwrap()));
    }
}
