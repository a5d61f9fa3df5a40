# What PowerShell calls the kind of failure that a code stands for. A code that is not here goes by its exit code.
$script:ErrorCategories = @{
    NOT_FOUND            = 'ObjectNotFound'
    LAYER_MISSING        = 'ObjectNotFound'
    MANIFEST_MISSING     = 'ObjectNotFound'
    CONFIG_MISSING       = 'ObjectNotFound'
    DEPENDENCY_MISSING   = 'ObjectNotFound'
    LINK_TARGET_MISSING  = 'ObjectNotFound'
    DESTINATION_EXISTS   = 'ResourceExists'
    IDENTITY_CLASH       = 'ResourceExists'
    LIMIT_EXCEEDED       = 'LimitsExceeded'
    PLATFORM_UNSUPPORTED = 'NotImplemented'
    FORMAT_UNSUPPORTED   = 'NotImplemented'
    LOSS_REFUSED         = 'InvalidResult'
    NO_ACCESS            = 'PermissionDenied'
    UNAUTHORIZED         = 'AuthenticationError'
    NO_SPACE             = 'WriteError'
    NAME_TOO_LONG        = 'WriteError'
    IO_FAILED            = 'DeviceError'
    LOCKED               = 'ResourceBusy'
    TOOL_MISSING         = 'NotInstalled'
    WINDOWS_ONLY         = 'NotImplemented'
    ENGINE_UNSUPPORTED   = 'NotImplemented'
    ENGINE_REFUSED       = 'InvalidOperation'
    WRONG_ENGINE_OS      = 'InvalidOperation'
    NETWORK_FAILED       = 'ConnectionError'
    TIMED_OUT            = 'OperationTimeout'
    INTERRUPTED          = 'OperationStopped'
    INTERNAL             = 'NotSpecified'
}
$script:ExitCategories = @{ 2 = 'InvalidArgument'; 3 = 'InvalidData'; 4 = 'ResourceUnavailable' }

function New-TransshipError {
    # An ErrorRecord whose id is the stable code, with what to do next as its recommended action.
    [CmdletBinding()]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory)]
        [string] $Code,

        [Parameter(Mandatory)]
        [string] $Message,

        [AllowNull()]
        [string[]] $Suggestion = @(),

        [int] $ExitCode,

        [object] $Target
    )

    $category = 'NotSpecified'
    if ($script:ErrorCategories.ContainsKey($Code)) { $category = $script:ErrorCategories[$Code] }
    elseif ($script:ExitCategories.ContainsKey($ExitCode)) { $category = $script:ExitCategories[$ExitCode] }
    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    $exception.Data['Code'] = $Code
    $exception.Data['Suggestions'] = $Suggestion
    $record = New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, $Code, $category, $Target
    $details = New-Object -TypeName System.Management.Automation.ErrorDetails -ArgumentList $Message
    if ($Suggestion) { $details.RecommendedAction = $Suggestion -join "`n" }
    $record.ErrorDetails = $details
    $record
}
