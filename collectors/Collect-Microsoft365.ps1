#requires -Version 7.2
<#
.SYNOPSIS
Collects a Microsoft 365 tenant's mail settings for `mailassay ingest`. Reads only.

.DESCRIPTION
Needs the modules ExchangeOnlineManagement 3 and Microsoft.Graph.Authentication, with sessions
opened by you (Connect-ExchangeOnline, Connect-MgGraph) before it is started: it asks for no
password and keeps no token.

Least rights. Exchange: a role group with View-Only Recipients and View-Only Configuration, and
with the role entry Get-InboxRule (of the role Mail Recipients), which the read-only roles do not
hold. Graph: AuditLog.Read.All, Policy.Read.All, Directory.Read.All, Application.Read.All,
RoleManagement.Read.Directory.

Every mailbox that was asked gets a line in status/, with what went wrong: a mailbox without rules
and a mailbox whose rules may not be read are two things. No message, subject or password is read.
Rules keep their names and conditions in the output folder; `mailassay` turns them into classes.

Not tried against a tenant: the script was checked for its grammar only.

.PARAMETER OutputFolder
Where the exports go; made with access for you alone.

.PARAMETER Shards
Into how many parts the mailboxes are divided.

.PARAMETER Shard
Which of them this run reads, from 0.

.EXAMPLE
./Collect-Microsoft365.ps1 -OutputFolder ./exports -Shards 8 -Shard 3
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)][string]$OutputFolder,
    [ValidateRange(1, 1000)][int]$Shards = 1,
    [ValidateRange(0, 999)][int]$Shard = 0
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
# A module's commands do not see this script's preference: without this an error of theirs is written
# and passed over, and what came before it would look whole.
$PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }

if ($Shard -ge $Shards) { throw "Shard counts from 0 and must be below $Shards." }

$exports = Join-Path $OutputFolder 'm365'
$status = Join-Path $OutputFolder 'status'
New-Item -ItemType Directory -Force -Path $exports, $status | Out-Null
if (-not $IsWindows) {
    # Nobody else may read what people told their mailboxes to do.
    chmod 700 $OutputFolder $exports $status
}

function Write-Line {
    param([string]$Path, [object]$Value)
    Add-Content -LiteralPath $Path -Encoding utf8NoBOM -Value ($Value | ConvertTo-Json -Compress -Depth 12 -EnumsAsStrings)
}

function Write-Status {
    param([string]$What, [string]$Subject, [bool]$Ok, [int]$Rows, [string]$Why)
    $line = [ordered]@{ what = $What; subject = $Subject; ok = $Ok; rows = $Rows; why = $Why }
    Write-Line -Path (Join-Path $status "coverage-$Shard.jsonl") -Value $line
}

# On which day it was asked: exports of different weeks do not fit together.
Write-Line -Path (Join-Path $status "coverage-$Shard.jsonl") -Value ([ordered]@{ what = 'collected'; subject = '*'; ok = $true; rows = 0; at = [datetime]::UtcNow.ToString('yyyy-MM-dd') })

# One export of the whole tenant. It is written under another name until it is whole.
function Export-Whole {
    param([string]$Name, [scriptblock]$Ask)
    $path = Join-Path $exports "$Name.jsonl"
    if (Test-Path -LiteralPath $path) { return }
    $part = "$path.part"
    Remove-Item -LiteralPath $part -Force -ErrorAction SilentlyContinue
    $rows = 0
    try {
        foreach ($row in @(& $Ask)) {
            if ($null -eq $row) { continue }
            Write-Line -Path $part -Value $row
            $rows++
        }
        if ($rows -gt 0) { Move-Item -LiteralPath $part -Destination $path -Force }
        Write-Status -What $Name -Subject '*' -Ok $true -Rows $rows -Why ''
    }
    catch {
        Remove-Item -LiteralPath $part -Force -ErrorAction SilentlyContinue
        Write-Status -What $Name -Subject '*' -Ok $false -Rows $rows -Why $_.FullyQualifiedErrorId
    }
}

# A stable part of all mailboxes, the same on every machine and in every run.
function Test-Mine {
    param([string]$Id)
    if ($Shards -eq 1) { return $true }
    $bytes = [System.Text.Encoding]::UTF8.GetBytes($Id.ToLowerInvariant())
    $digest = [System.Security.Cryptography.SHA256]::HashData($bytes)
    return ([System.BitConverter]::ToUInt32($digest, 0) % $Shards) -eq $Shard
}

# The names in a list of objects, as texts.
function Get-NameOf {
    param([object]$List)
    , [string[]]@(foreach ($item in @($List)) {
            if ($null -eq $item) { continue }
            $name = $item.PSObject.Properties['Name']
            if ($null -ne $name -and $name.Value) { $name.Value } else { $item }
        })
}

# One export that is asked for mailbox by mailbox, and goes on where it stopped.
function Export-Each {
    param([string]$Name, [object[]]$Mailboxes, [scriptblock]$Ask)
    $path = Join-Path $exports "$Name-$Shard.jsonl"
    $donePath = Join-Path $status "$Name-$Shard.done"
    $done = [System.Collections.Generic.HashSet[string]]::new([System.StringComparer]::OrdinalIgnoreCase)
    if (Test-Path -LiteralPath $donePath) {
        foreach ($id in [System.IO.File]::ReadLines($donePath)) { [void]$done.Add($id) }
    }
    foreach ($mailbox in $Mailboxes) {
        $id = [string]$mailbox.ExternalDirectoryObjectId
        # An empty identity would make some commands return every object there is.
        if ([string]::IsNullOrWhiteSpace($id)) {
            Write-Status -What $Name -Subject ([string]$mailbox.PrimarySmtpAddress) -Ok $false -Rows 0 -Why 'NoIdentity'
            continue
        }
        if ($done.Contains($id)) { continue }
        try {
            $rows = @(& $Ask $mailbox)
            foreach ($row in $rows) { Write-Line -Path $path -Value $row }
            Write-Status -What $Name -Subject $id -Ok $true -Rows $rows.Count -Why ''
            Add-Content -LiteralPath $donePath -Encoding utf8NoBOM -Value $id
        }
        catch {
            Write-Status -What $Name -Subject $id -Ok $false -Rows 0 -Why $_.FullyQualifiedErrorId
        }
    }
}

$mailboxProperties = @(
    'UserPrincipalName', 'PrimarySmtpAddress', 'EmailAddresses', 'RecipientTypeDetails', 'ExternalDirectoryObjectId',
    'ExchangeGuid', 'Guid', 'Alias', 'Identity', 'Name', 'DisplayName', 'LegacyExchangeDN', 'ForwardingAddress', 'ForwardingSmtpAddress',
    'DeliverToMailboxAndForward', 'GrantSendOnBehalfTo', 'AuditEnabled', 'DefaultAuditSet', 'AuditLogAgeLimit',
    'LitigationHoldEnabled', 'LitigationHoldDuration', 'InPlaceHolds', 'RetentionHoldEnabled', 'RetentionPolicy', 'RetainDeletedItemsFor',
    'SingleItemRecoveryEnabled', 'ElcProcessingDisabled', 'IsInactiveMailbox', 'AccountDisabled', 'AuditOwner', 'AuditDelegate',
    'AuditAdmin', 'MessageCopyForSentAsEnabled', 'WhenMailboxCreated'
)
$mailboxes = @(Get-Mailbox -ResultSize Unlimited | Select-Object -Property $mailboxProperties)
$mine = @($mailboxes | Where-Object { Test-Mine -Id ([string]$_.ExternalDirectoryObjectId) })

if ($Shard -eq 0) {
    Export-Whole -Name 'mailboxes' -Ask { $mailboxes }
    # Mailboxes of people who left, which are there for their hold alone.
    Export-Whole -Name 'inactive-mailboxes' -Ask { Get-Mailbox -InactiveMailboxOnly -ResultSize Unlimited | Select-Object -Property 'PrimarySmtpAddress', 'UserPrincipalName', 'EmailAddresses', 'ExternalDirectoryObjectId', 'Guid', 'Alias', 'Name', 'IsInactiveMailbox', 'WhenSoftDeleted', 'LitigationHoldEnabled', 'LitigationHoldDuration', 'InPlaceHolds' }
    Export-Whole -Name 'accepted-domains' -Ask { Get-AcceptedDomain | Select-Object -Property 'DomainName', 'DomainType', 'Default', 'MatchSubDomains' }
    Export-Whole -Name 'dkim-signing' -Ask { Get-DkimSigningConfig | Select-Object -Property 'Domain', 'Name', 'Enabled', 'Selector1CNAME', 'Selector2CNAME', 'SelectorBeforeRotateOnDate', 'SelectorAfterRotateOnDate' }
    Export-Whole -Name 'recipients' -Ask {
        $properties = 'RecipientTypeDetails', 'PrimarySmtpAddress', 'ExternalEmailAddress', 'EmailAddresses', 'LegacyExchangeDN', 'Alias', 'Guid', 'Identity', 'Name', 'ExternalDirectoryObjectId'
        Get-MailContact -ResultSize Unlimited | Select-Object -Property $properties
        Get-MailUser -ResultSize Unlimited | Select-Object -Property $properties
        Get-DistributionGroup -ResultSize Unlimited | Select-Object -Property $properties
    }
    Export-Whole -Name 'cas-mailboxes' -Ask { Get-EXOCASMailbox -ResultSize Unlimited -PropertySets All | Select-Object -Property 'PrimarySmtpAddress', 'PopEnabled', 'ImapEnabled', 'SmtpClientAuthenticationDisabled' }
    Export-Whole -Name 'transport-rules' -Ask { Get-TransportRule -ResultSize Unlimited | Select-Object -Property 'Name', 'State', 'Mode', 'Priority', 'RuleVersion', 'SentToScope', 'BlindCopyTo', 'CopyTo', 'AddToRecipients', 'RedirectMessageTo', 'DeleteMessage', 'SetSCL', 'ApplyOME', 'ApplyRightsProtectionTemplate', 'RouteMessageOutboundRequireTls', 'RouteMessageOutboundConnector' }
    Export-Whole -Name 'journal-rules' -Ask { Get-JournalRule | Select-Object -Property 'Name', 'Enabled', 'Scope', 'Recipient', 'JournalEmailAddress' }
    Export-Whole -Name 'remote-domains' -Ask { Get-RemoteDomain | Select-Object -Property 'DomainName', 'AutoForwardEnabled', 'AutoReplyEnabled', 'AllowedOOFType' }
    Export-Whole -Name 'outbound-spam' -Ask { Get-HostedOutboundSpamFilterPolicy | Select-Object -Property 'Name', 'AutoForwardingMode', 'IsDefault' }
    Export-Whole -Name 'transport-config' -Ask { Get-TransportConfig | Select-Object -Property 'SmtpClientAuthenticationDisabled', 'JournalingReportNdrTo', 'MaxSendSize', 'AllowLegacyTLSClients' }
    Export-Whole -Name 'organization' -Ask { Get-OrganizationConfig | Select-Object -Property 'AuditDisabled', 'OAuth2ClientProfileEnabled', 'RejectDirectSend', 'ElcProcessingDisabled', 'MailTipsExternalRecipientsTipsEnabled', 'ActivityBasedAuthenticationTimeoutEnabled', 'ActivityBasedAuthenticationTimeoutInterval' }
    Export-Whole -Name 'admin-audit-log' -Ask { Get-AdminAuditLogConfig | Select-Object -Property 'UnifiedAuditLogIngestionEnabled', 'AdminAuditLogEnabled' }
    Export-Whole -Name 'audit-bypass' -Ask { Get-MailboxAuditBypassAssociation -ResultSize Unlimited | Select-Object -Property 'Name', 'Identity', 'AuditBypassEnabled' }
    Export-Whole -Name 'recipient-permissions' -Ask { Get-EXORecipientPermission -ResultSize Unlimited | Select-Object -Property 'Identity', 'Trustee', 'TrusteeSidString', 'AccessControlType', 'AccessRights' }
    Export-Whole -Name 'dlp-policies' -Ask { Get-DlpCompliancePolicy | Select-Object -Property 'Name', 'Mode', 'Workload', 'ExchangeLocation' }
    Export-Whole -Name 'anti-phishing' -Ask { Get-AntiPhishPolicy | Select-Object -Property 'Name', 'Enabled', 'PhishThresholdLevel', 'EnableFirstContactSafetyTips', 'EnableSpoofIntelligence', 'HonorDmarcPolicy' }
    Export-Whole -Name 'encryption' -Ask { Get-IRMConfiguration | Select-Object -Property 'AzureRMSLicensingEnabled' }
    Export-Whole -Name 'mobile-policies' -Ask { Get-MobileDeviceMailboxPolicy | Select-Object -Property 'Name', 'IsDefault', 'AllowNonProvisionableDevices', 'PasswordEnabled', 'RequireDeviceEncryption' }
    Export-Whole -Name 'outbound-connectors' -Ask { Get-OutboundConnector -IncludeTestModeConnectors $true | Select-Object -Property 'Name', 'Enabled', 'ConnectorType', 'UseMXRecord', 'SmartHosts', 'RecipientDomains', 'TlsSettings', 'TlsDomain', 'IsTransportRuleScoped' }
    Export-Whole -Name 'sharing-policies' -Ask { Get-SharingPolicy | Select-Object -Property 'Name', 'Domains', 'Enabled', 'Default' }
    Export-Whole -Name 'retention-tags' -Ask { Get-RetentionPolicyTag | Select-Object -Property 'Name', 'Type', 'MessageClass', 'RetentionEnabled', 'RetentionAction', 'AgeLimitForRetention' }
    Export-Whole -Name 'retention-policies' -Ask { Get-RetentionPolicy | Select-Object -Property 'Name', @{ Name = 'RetentionPolicyTagLinks'; Expression = { Get-NameOf -List $_.RetentionPolicyTagLinks } } }
    # Which programs are limited to which mailboxes, and what they may do by a role in Exchange Online.
    Export-Whole -Name 'access-policies' -Ask { Get-ApplicationAccessPolicy | Select-Object -Property 'AppId', 'AccessRight', 'ScopeName' }
    Export-Whole -Name 'role-assignments' -Ask { Get-ManagementRoleAssignment | Select-Object -Property 'Role', 'RoleAssigneeType', 'RoleAssignee', 'RoleAssigneeName', 'CustomResourceScope', 'RecipientWriteScope', 'Enabled' }
    # Who is in which group: the group's address is put in, members themselves do not carry it.
    Export-Whole -Name 'group-members' -Ask {
        $properties = 'RecipientTypeDetails', 'PrimarySmtpAddress', 'ExternalEmailAddress'
        foreach ($group in @(Get-DistributionGroup -ResultSize Unlimited)) {
            $address = @{ Name = 'GroupAddress'; Expression = { $group.PrimarySmtpAddress } }
            Get-DistributionGroupMember -Identity ([string]$group.Guid) -ResultSize Unlimited | Select-Object -Property (@($address) + $properties)
        }
        foreach ($group in @(Get-DynamicDistributionGroup -ResultSize Unlimited)) {
            $address = @{ Name = 'GroupAddress'; Expression = { $group.PrimarySmtpAddress } }
            Get-DynamicDistributionGroupMember -Identity ([string]$group.Guid) -ResultSize Unlimited | Select-Object -Property (@($address) + $properties)
        }
        foreach ($group in @(Get-UnifiedGroup -ResultSize Unlimited)) {
            $address = @{ Name = 'GroupAddress'; Expression = { $group.PrimarySmtpAddress } }
            Get-UnifiedGroupLinks -Identity ([string]$group.Guid) -LinkType Members -ResultSize Unlimited | Select-Object -Property (@($address) + $properties)
        }
    }
    # Answered in the compliance session (Connect-IPPSSession) alone.
    Export-Whole -Name 'retention-compliance' -Ask { Get-RetentionCompliancePolicy -DistributionDetail | Select-Object -Property 'Name', 'Guid', 'Enabled', 'Mode', 'Workload', @{ Name = 'ExchangeLocation'; Expression = { Get-NameOf -List $_.ExchangeLocation } }, @{ Name = 'ExchangeLocationException'; Expression = { Get-NameOf -List $_.ExchangeLocationException } }, 'AdaptiveScopeLocation', 'Applications', 'DistributionStatus', 'RetentionRuleTypes', 'RestrictiveRetention' }
    Export-Whole -Name 'retention-rules' -Ask { Get-RetentionComplianceRule | Select-Object -Property 'Name', 'Policy', 'RetentionComplianceAction', 'RetentionDuration', 'Disabled', 'ContentMatchQuery', 'ExcludedItemClasses', 'ApplyComplianceTag', 'PublishComplianceTag' }
    Export-Whole -Name 'alert-policies' -Ask { Get-ProtectionAlert | Select-Object -Property 'Name', 'Disabled', 'ThreatType', 'AggregationType', 'Operation', 'NotificationEnabled', 'NotifyUser' }
    $graph = 'https://graph.microsoft.com/v1.0'
    $since = [datetime]::UtcNow.AddDays(-31).ToString('yyyy-MM-ddTHH:mm:ssZ')
    foreach ($question in @(
            @{ Name = 'mfa-registration'; Uri = "$graph/reports/authenticationMethods/userRegistrationDetails" },
            @{ Name = 'conditional-access'; Uri = "$graph/identity/conditionalAccess/policies" },
            @{ Name = 'security-defaults'; Uri = "$graph/policies/identitySecurityDefaultsEnforcementPolicy" },
            @{ Name = 'app-grants'; Uri = "$graph/oauth2PermissionGrants" },
            # What programs hold without a user: over Microsoft Graph, and over Exchange Online.
            @{ Name = 'app-roles'; Uri = @("$graph/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/appRoleAssignedTo", "$graph/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')/appRoleAssignedTo") },
            @{ Name = 'service-principals'; Uri = "$graph/servicePrincipals?`$select=id,appId,appOwnerOrganizationId,verifiedPublisher" },
            @{ Name = 'authorization-policy'; Uri = "$graph/policies/authorizationPolicy" },
            @{ Name = 'directory-roles'; Uri = "$graph/roleManagement/directory/roleAssignments?`$expand=principal" },
            # Only the beta version names the factors, and gives sign-ins without the user when asked for them.
            @{ Name = 'sign-ins'; Uri = "https://graph.microsoft.com/beta/auditLogs/signIns?`$filter=createdDateTime ge $since and signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')" },
            @{ Name = 'users'; Uri = "$graph/users?`$select=id,userPrincipalName,accountEnabled,createdDateTime,signInActivity" }
        )) {
        $uri = $question.Uri
        Export-Whole -Name $question.Name -Ask {
            foreach ($first in @($uri)) {
                $next = $first
                while ($next) {
                    $page = Invoke-MgGraphRequest -Method GET -Uri $next -OutputType Hashtable
                    if ($page.ContainsKey('value')) { $page['value'] } else { $page }
                    $next = if ($page.ContainsKey('@odata.nextLink')) { $page['@odata.nextLink'] } else { $null }
                }
            }
        }.GetNewClosure()
    }
}

$ruleProperties = @(
    'MailboxOwnerId', 'Identity', 'RuleIdentity', 'Name', 'Enabled', 'Priority', 'InError', 'SupportedByTask', 'ForwardTo',
    'ForwardAsAttachmentTo', 'RedirectTo', 'CopyToFolder', 'MoveToFolder', 'DeleteMessage', 'SoftDeleteMessage',
    'PermanentDelete', 'MarkAsRead', 'StopProcessingRules', 'From', 'FromAddressContainsWords', 'SubjectContainsWords',
    'SubjectOrBodyContainsWords', 'BodyContainsWords', 'HeaderContainsWords', 'RecipientAddressContainsWords', 'SentTo',
    'HasAttachment', 'MyNameInToBox', 'SentOnlyToMe', 'WithinSizeRangeMinimum', 'WithinSizeRangeMaximum'
)
Export-Each -Name 'inbox-rules' -Mailboxes $mine -Ask {
    param($mailbox)
    $id = [string]$mailbox.ExternalDirectoryObjectId
    # The owner's address is put in: rules themselves do not carry it.
    $all = @(Get-InboxRule -Mailbox $id -IncludeHidden)
    # No property says that a rule is hidden: it is one that the second answer leaves out.
    $shown = @()
    if ($all.Count -gt 0) { $shown = @(Get-InboxRule -Mailbox $id | Select-Object -ExpandProperty 'RuleIdentity') }
    $all | Select-Object -Property (@(
            @{ Name = 'MailboxAddress'; Expression = { $mailbox.PrimarySmtpAddress } },
            @{ Name = 'Hidden'; Expression = { $shown -notcontains $_.RuleIdentity } }
        ) + $ruleProperties)
}
Export-Each -Name 'mailbox-permissions' -Mailboxes $mine -Ask {
    param($mailbox)
    Get-EXOMailboxPermission -Identity ([string]$mailbox.ExternalDirectoryObjectId) |
        Select-Object -Property @(@{ Name = 'Mailbox'; Expression = { $mailbox.PrimarySmtpAddress } }, 'Identity', 'User', 'UserSid', 'AccessRights', 'IsInherited', 'Deny')
}

Export-Each -Name 'folder-statistics' -Mailboxes $mine -Ask {
    param($mailbox)
    Get-EXOMailboxFolderStatistics -Identity ([string]$mailbox.ExternalDirectoryObjectId) -IncludeOldestAndNewestItems |
        Select-Object -Property @(@{ Name = 'Mailbox'; Expression = { $mailbox.PrimarySmtpAddress } }, 'FolderType', 'ItemsInFolder', 'OldestItemReceivedDate')
}

Write-Output "collected into $OutputFolder; what could not be read is in status/coverage-$Shard.jsonl"
