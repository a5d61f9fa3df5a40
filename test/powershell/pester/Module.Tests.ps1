# What the module is: its manifest, its syntax, its help, its names.
BeforeDiscovery {
    $root = Join-Path $PSScriptRoot '../../../powershell/Transship'
    $Manifest = Import-PowerShellDataFile (Join-Path $root 'Transship.psd1')
    $Cmdlets = $Manifest.FunctionsToExport
    $Files = Get-ChildItem -LiteralPath $root -Recurse -File -Include *.ps1, *.psm1, *.psd1 | ForEach-Object { @{ Name = $_.Name; Path = $_.FullName } }
    $Texts = Get-ChildItem -LiteralPath $root -Recurse -File -Exclude README.md | ForEach-Object { @{ Name = $_.Name; Path = $_.FullName } }
}

BeforeAll { . (Join-Path $PSScriptRoot 'Setup.ps1') }

Describe 'The manifest' {
    It 'passes Test-ModuleManifest without a warning' {
        $module = Test-ModuleManifest (Join-Path $ModulePath 'Transship.psd1') -WarningVariable warnings -WarningAction SilentlyContinue
        $module.Name | Should -Be Transship
        $module.PowerShellVersion | Should -Be '5.1'
        $module.CompatiblePSEditions | Should -Be Desktop, Core
        $warnings | Should -BeNullOrEmpty
    }

    It 'has the version of the command line' {
        $package = Get-Content (Join-Path $Project 'package.json') -Raw | ConvertFrom-Json
        # The gallery takes no dots in the name of a pre-release.
        $core, $pre = $package.version -split '-', 2
        $module = Get-Module Transship
        $module.Version | Should -Be $core
        [string] $module.PrivateData.PSData['Prerelease'] | Should -Be ($pre -replace '\.', '')
    }

    It 'tells a gallery its tags, its licence and its release' {
        $data = (Get-Module Transship).PrivateData.PSData
        $data.Tags | Should -Contain PSEdition_Desktop
        $data.Tags | Where-Object { $_ -match '\s' } | Should -BeNullOrEmpty
        ([uri] $data.LicenseUri).IsAbsoluteUri | Should -BeTrue
        $data.ReleaseNotes | Should -Not -BeNullOrEmpty
    }

    It 'exports what it promises, under approved verbs and in the singular' {
        $commands = Get-Command -Module Transship
        $commands.Name | Sort-Object | Should -Be ((Import-PowerShellDataFile (Join-Path $ModulePath 'Transship.psd1')).FunctionsToExport | Sort-Object)
        $approved = (Get-Verb).Verb
        foreach ($command in $commands) {
            $command.Verb | Should -BeIn $approved
            $command.Noun | Should -Not -Match 's$'
        }
    }
}

Describe 'The syntax of <Name>' -ForEach $Files {
    BeforeAll {
        $tokens = $errors = $null
        $ast = [System.Management.Automation.Language.Parser]::ParseFile($Path, [ref] $tokens, [ref] $errors)
        function Find-Node([scriptblock] $Match) {
            $ast.FindAll($Match, $true) | ForEach-Object { "line $($_.Extent.StartLineNumber): $($_.Extent.Text)" }
        }
    }

    It 'has no fault' { $errors | Should -BeNullOrEmpty }

    It 'has no node that Windows PowerShell 5.1 does not know' {
        Find-Node { $args[0].GetType().Name -in 'TernaryExpressionAst', 'PipelineChainAst' } | Should -BeNullOrEmpty
        Find-Node { $args[0] -is [System.Management.Automation.Language.PipelineAst] -and $args[0].Background } | Should -BeNullOrEmpty
        Find-Node { $args[0] -is [System.Management.Automation.Language.NamedBlockAst] -and $args[0].BlockKind -eq 'Clean' } | Should -BeNullOrEmpty
    }

    It 'has no token that it does not know' {
        $kinds = 'QuestionQuestion', 'QuestionQuestionEquals', 'QuestionDot', 'QuestionLBracket', 'QuestionMark', 'AndAnd', 'OrOr', 'Clean'
        $tokens | Where-Object { "$($_.Kind)" -in $kinds } | Should -BeNullOrEmpty
        $tokens | Where-Object { $_.Text -match '`[ue]\{|^\d+(y|uy|s|us|u|ul|n)$' } | Should -BeNullOrEmpty
    }

    It 'uses no variable, parameter or encoding of PowerShell 7 alone' {
        $newer = 'IsWindows', 'IsLinux', 'IsMacOS', 'IsCoreCLR', 'PSStyle', 'EnabledExperimentalFeatures'
        Find-Node { $args[0] -is [System.Management.Automation.Language.VariableExpressionAst] -and $args[0].VariablePath.UserPath -in $newer } | Should -BeNullOrEmpty
        $parameters = 'Parallel', 'AsHashtable', 'AsByteStream', 'AdditionalChildPath', 'DateKind', 'LeafBase', 'SkipLast', 'Stable', 'EnumsAsStrings', 'AsArray', 'AsUTC'
        Find-Node { $args[0] -is [System.Management.Automation.Language.CommandParameterAst] -and $args[0].ParameterName -in $parameters } | Should -BeNullOrEmpty
        Find-Node { $args[0] -is [System.Management.Automation.Language.StringConstantExpressionAst] -and $args[0].Value -in 'utf8NoBOM', 'utf8BOM' } | Should -BeNullOrEmpty
    }

    It 'gives Join-Path two parts at most' {
        Find-Node {
            $args[0] -is [System.Management.Automation.Language.CommandAst] -and $args[0].GetCommandName() -eq 'Join-Path' -and
            @($args[0].CommandElements | Where-Object { $_ -isnot [System.Management.Automation.Language.CommandParameterAst] }).Count -gt 3
        } | Should -BeNullOrEmpty
    }

    It 'calls .NET by what .NET Framework 4.7 has' {
        # Names that only .NET has, of the kinds that the module could be tempted by.
        $newer = 'ArgumentList', 'ReadAllTextAsync', 'WaitForExitAsync', 'ToHexString', 'Utf8JsonReader', 'JsonDocument'
        Find-Node { $args[0] -is [System.Management.Automation.Language.MemberExpressionAst] -and "$($args[0].Member)" -in $newer } | Should -BeNullOrEmpty
    }
}

Describe 'Confirmation' {
    It 'is taken for no where PowerShell may not ask: <Code>' -ForEach @(
        @{ Code = 'Convert-ContainerPackage a inbox:b' }
        @{ Code = 'Export-ContainerPackage a b' }
        @{ Code = 'Import-ContainerPackage a b' }
        @{ Code = 'Invoke-ContainerMigration a' }
        @{ Code = 'Stop-ComputeContainer a' }
        @{ Code = 'Export-ComputeLayer a b' }
        @{ Code = 'Import-ComputeLayer a b' }
    ) {
        # A command line that leaves a mark when it is run.
        $mark = Join-Path (Get-Item TestDrive:/).FullName "$([guid]::NewGuid())"
        $script = Join-Path (Get-Item TestDrive:/).FullName marking.js
        Set-Content -LiteralPath $script -Value "require('fs').writeFileSync(process.env.MARK, ''); console.log('{}')"
        $run = "`$env:TRANSSHIP = '$script'; `$env:MARK = '$mark'; Import-Module '$ModulePath'; $Code -Confirm"
        $said = & (Join-Path $PSHOME pwsh) -NoProfile -NonInteractive -Command $run 2>&1
        "$said" | Should -BeLike '*NonInteractive*'
        Test-Path -LiteralPath $mark | Should -BeFalse
    }
}

Describe 'The text of <Name>' -ForEach $Texts {
    It 'is ASCII, which Windows PowerShell reads the same without a byte order mark' {
        [System.IO.File]::ReadAllText($Path) | Should -Not -Match '[^\x00-\x7F]'
    }
}

Describe 'The help of <_>' -ForEach $Cmdlets {
    BeforeAll {
        $help = Get-Help $_ -Full
        $command = Get-Command $_
    }

    It 'has a synopsis of its own and a description' {
        $help.Synopsis | Should -Match '^[A-Z].*\.$'
        $help.description.Text | Should -Not -BeNullOrEmpty
    }

    It 'has two examples that parse, name the cmdlet, and are explained' {
        @($help.examples.example).Count | Should -BeGreaterOrEqual 2
        foreach ($example in $help.examples.example) {
            $tokens = $errors = $null
            $ast = [System.Management.Automation.Language.Parser]::ParseInput($example.code, [ref] $tokens, [ref] $errors)
            $errors | Should -BeNullOrEmpty
            $calls = @($ast.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true))
            $calls | ForEach-Object { $_.GetCommandName() } | Should -Contain $command.Name
            foreach ($call in $calls) {
                $known = Get-Command $call.GetCommandName() -ErrorAction Ignore
                # Restart-Service is one of Windows.
                if ($call.GetCommandName() -eq 'Restart-Service') { continue }
                $known | Should -Not -BeNullOrEmpty -Because $call.GetCommandName()
                foreach ($parameter in $call.CommandElements.Where({ $_ -is [System.Management.Automation.Language.CommandParameterAst] })) {
                    $known.Parameters.Keys | Should -Contain $parameter.ParameterName
                }
            }
            ($example.remarks.Text -join '').Trim() | Should -Not -BeNullOrEmpty
        }
    }

    It 'explains every parameter' {
        $common = [System.Management.Automation.Cmdlet]::CommonParameters + [System.Management.Automation.Cmdlet]::OptionalCommonParameters
        foreach ($name in $command.Parameters.Keys.Where({ $_ -notin $common })) {
            $parameter = $help.parameters.parameter | Where-Object name -EQ $name
            ($parameter.description.Text -join '').Trim() | Should -Not -BeNullOrEmpty -Because $name
        }
    }

    It 'tells its outputs, and leads to the topic' {
        ($help.returnValues.returnValue.type.name -join '') | Should -Match 'Transship\.'
        $help.relatedLinks.navigationLink.linkText | Should -Contain about_Transship
    }

    It 'lists every property of its objects' {
        foreach ($type in $command.OutputType.Name.Where({ $_ -like 'Transship.*' })) {
            $properties = InModuleScope Transship -Parameters @{ type = $type } { param($type) $script:ObjectProperties[$type] }
            if ($type -eq 'Transship.Conversion' -and $command.Name -ne 'Convert-ContainerPackage') { continue }
            if ($command.Name -eq 'Wait-ComputeContainer') { continue }
            $told = $help.returnValues.returnValue.type.name -join ' '
            foreach ($property in $properties) { $told | Should -Match "\b$property\b" }
        }
    }
}

Describe 'The topic' {
    BeforeAll { $topic = Get-Help about_Transship | Out-String }

    It 'fits 80 columns' {
        foreach ($line in $topic -split "`n") { $line.TrimEnd().Length | Should -BeLessOrEqual 80 }
    }

    It 'names the alias that it marks, and marks every alias' {
        $aliases = InModuleScope Transship { $script:InboxAliases }
        $marked = [regex]::Matches($topic, '(?m)^\s+(\w+-\w+) \*\s+(\w+-\w+)')
        $marked.Count | Should -Be $aliases.Count
        foreach ($row in $marked) { $aliases[$row.Groups[1].Value] | Should -Be $row.Groups[2].Value }
    }

    It 'has a row for every cmdlet of the Technical Preview that carried or listed something' {
        foreach ($name in 'Get-ContainerImage', 'Export-ContainerImage', 'Import-ContainerImage', 'Test-ContainerImage', 'Remove-ContainerImage',
            'New-ContainerImage', 'Move-ContainerImageRepository', 'Get-ContainerHost', 'Install-ContainerOSImage', 'Uninstall-ContainerOSImage',
            'Find-ContainerImage', 'Save-ContainerImage', 'Install-ContainerImage', 'Get-Container', 'Stop-Container', 'Get-ComputeProcess', 'Stop-ComputeProcess') {
            $topic | Should -Match "(?m)^\s+$name\b"
        }
    }
}

Describe 'The names of the Technical Preview' {
    AfterAll { Import-Module (Join-Path $ModulePath 'Transship.psd1') -Force }

    It 'are there on request only, and go with the module' {
        Get-Command Get-ContainerImage -ErrorAction Ignore | Should -BeNullOrEmpty
        Import-Module (Join-Path $ModulePath 'Transship.psd1') -Force -ArgumentList Inbox -Global
        (Get-Alias Get-ContainerImage -Scope Global).Definition | Should -Be Get-ContainerPackage
        (Get-ContainerImage "inbox:$Repository" -Name Shop).Name | Should -Be Shop
        (Get-Alias).Where({ $_.Source -eq 'Transship' }).Count | Should -Be 8
        Remove-Module Transship
        Get-Command Get-ContainerImage -ErrorAction Ignore | Should -BeNullOrEmpty
    }

    It 'leave a command alone that another module has' {
        function global:Get-Container { 'somebody else' }
        try {
            $warnings = Import-Module (Join-Path $ModulePath 'Transship.psd1') -Force -ArgumentList Inbox -Global 3>&1
            "$warnings" | Should -Match '^Get-Container stays'
            Get-Container | Should -Be 'somebody else'
        }
        finally {
            Remove-Module Transship
            Remove-Item function:Get-Container
        }
    }

    It 'refuse another word' {
        { Import-Module (Join-Path $ModulePath 'Transship.psd1') -Force -ArgumentList Outbox -ErrorAction Stop } | Should -Throw
    }
}

Describe 'Error categories' {
    It 'know only codes that are documented' {
        $documented = [regex]::Matches((Get-Content (Join-Path $Project 'docs/errors.md') -Raw), '(?m)^\| `([A-Z_]+)` \|').ForEach({ $_.Groups[1].Value })
        $known = InModuleScope Transship { $script:ErrorCategories.Keys }
        $documented.Count | Should -BeGreaterThan 50
        $known | Where-Object { $_ -notin $documented } | Should -BeNullOrEmpty
    }

    It 'are categories of PowerShell: <Code> with exit <Exit> is <Category>' -ForEach @(
        @{ Code = 'NOT_FOUND'; Exit = 3; Category = 'ObjectNotFound' }
        @{ Code = 'NO_ACCESS'; Exit = 4; Category = 'PermissionDenied' }
        @{ Code = 'DIGEST_MISMATCH'; Exit = 3; Category = 'InvalidData' }
        @{ Code = 'BAD_REFERENCE'; Exit = 2; Category = 'InvalidArgument' }
        @{ Code = 'ENGINE_UNAVAILABLE'; Exit = 4; Category = 'ResourceUnavailable' }
        @{ Code = 'TIMED_OUT'; Exit = 4; Category = 'OperationTimeout' }
        @{ Code = 'A_CODE_OF_TOMORROW'; Exit = 3; Category = 'InvalidData' }
        @{ Code = 'A_CODE_OF_TOMORROW'; Exit = 70; Category = 'NotSpecified' }
    ) {
        $record = InModuleScope Transship -Parameters @{ Code = $Code; Exit = $Exit } { param($Code, $Exit) New-TransshipError -Code $Code -ExitCode $Exit -Message m -Suggestion one, two -Target t }
        $record.CategoryInfo.Category | Should -Be $Category
        $record.FullyQualifiedErrorId | Should -Be $Code
        $record.TargetObject | Should -Be t
        $record.ErrorDetails.RecommendedAction | Should -Be "one`ntwo"
        $record.Exception.Data['Code'] | Should -Be $Code
    }

    It 'are all valid' {
        foreach ($category in InModuleScope Transship { @($script:ErrorCategories.Values) + @($script:ExitCategories.Values) }) {
            [enum]::IsDefined([System.Management.Automation.ErrorCategory], $category) | Should -BeTrue -Because $category
        }
    }
}

Describe 'Views' {
    It 'show every type of object, as a table and as a list, with properties that it has' {
        $properties = InModuleScope Transship { $script:ObjectProperties }
        [xml] $views = Get-Content (Join-Path $ModulePath 'Transship.format.ps1xml') -Raw
        foreach ($type in $properties.Keys) {
            $own = @($views.Configuration.ViewDefinitions.View | Where-Object { $_.ViewSelectedBy.TypeName -eq $type })
            @($own.TableControl | Where-Object { $_ }).Count | Should -Be 1 -Because $type
            $listed = $own.ListControl.ListEntries.ListEntry.ListItems.ListItem.PropertyName
            $listed | Should -Not -BeNullOrEmpty -Because $type
            $listed | Where-Object { $_ -notin $properties[$type] } | Should -BeNullOrEmpty -Because $type
        }
    }
}
