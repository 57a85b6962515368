//! What is accepted of an association's request (PS3.8, 7.1 and PS3.7, D.3). Pure.

use dicom_ul::pdu::{
    AssociationAC, AssociationRQ, PresentationContextProposed, PresentationContextResult,
    PresentationContextResultReason as Reason, RequestorRoles, UserVariableItem,
};

use super::{ListenerOptions, Refusal};
use crate::fragment::room;
use crate::uid::trimmed;
use crate::violation::Violation;
use crate::{
    APPLICATION_CONTEXT, EXPLICIT_LITTLE_ENDIAN, IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION,
    IMPLICIT_LITTLE_ENDIAN, STORAGE_COMMITMENT, VERIFICATION,
};

/// A presentation context that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub id: u8,
    pub abstract_syntax: String,
    pub transfer_syntax: String,
}

/// An association that can be accepted.
pub(crate) struct Agreement {
    pub contexts: Vec<Context>,
    /// How much of a message a PDU to the peer holds.
    pub room: usize,
    pub answer: AssociationAC,
}

/// Refuses what no association can come of, whoever asks (PS3.8, 9.3.2 and PS3.7, A.2.1).
pub(crate) fn screen(request: &AssociationRQ) -> Result<(), Refusal> {
    let is_title = |title: &str| {
        let is_printable = |byte| matches!(byte, b' '..=b'~') && byte != b'\\';
        !title.is_empty() && title.bytes().all(is_printable)
    };
    if request.protocol_version & 1 == 0 {
        return Err(Refusal::UnknownProtocolVersion);
    }
    if trimmed(&request.application_context_name) != APPLICATION_CONTEXT {
        return Err(Refusal::UnknownApplicationContext);
    }
    if !is_title(&request.calling_ae_title) {
        return Err(Refusal::UnknownCallingAeTitle);
    }
    if !is_title(&request.called_ae_title) {
        return Err(Refusal::UnknownCalledAeTitle);
    }
    Ok(())
}

/// Decides on each presentation context.
///
/// An association without one that is accepted is accepted all the same: that is how a peer learns which (PS3.8,
/// 7.1.1.14).
pub(crate) fn negotiate(
    request: AssociationRQ,
    options: &ListenerOptions,
) -> Result<Agreement, Violation> {
    let mut contexts: Vec<Context> = Vec::new();
    let mut results: Vec<PresentationContextResult> = Vec::new();
    for proposed in request.presentation_contexts {
        let id = proposed.id;
        let is_known = results.iter().any(|result| result.id == id);
        if id.is_multiple_of(2) || is_known {
            return Err(Violation::MalformedPdu);
        }
        let (reason, transfer_syntax) = match choose(&proposed, options) {
            Ok(transfer_syntax) => (Reason::Acceptance, transfer_syntax),
            Err(reason) => (reason, IMPLICIT_LITTLE_ENDIAN.to_owned()),
        };
        if reason == Reason::Acceptance {
            contexts.push(Context {
                id,
                abstract_syntax: trimmed(&proposed.abstract_syntax).to_owned(),
                transfer_syntax: transfer_syntax.clone(),
            });
        }
        results.push(PresentationContextResult {
            id,
            reason,
            transfer_syntax,
        });
    }
    let answer = AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title,
        called_ae_title: request.called_ae_title,
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: results,
        user_variables: user_variables(&request.user_variables, options),
    };
    Ok(Agreement {
        contexts,
        room: room(&request.user_variables),
        answer,
    })
}

/// The transfer syntax of a context, or why it is refused.
fn choose(
    proposed: &PresentationContextProposed,
    options: &ListenerOptions,
) -> Result<String, Reason> {
    let uncompressed = [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN];
    let is_proposed = |uid: &&str| {
        let mut proposed = proposed.transfer_syntaxes.iter();
        proposed.any(|syntax| trimmed(syntax) == *uid)
    };
    let abstract_syntax = trimmed(&proposed.abstract_syntax);
    let mut storage = options.storage.iter();
    let chosen = if let Some(class) = storage.find(|c| c.sop_class_uid == abstract_syntax) {
        let mut accepted = class.transfer_syntax_uids.iter().map(String::as_str);
        accepted.find(is_proposed)
    } else if abstract_syntax == VERIFICATION
        || abstract_syntax == STORAGE_COMMITMENT && options.commitment_reports
    {
        uncompressed.into_iter().find(is_proposed)
    } else {
        return Err(Reason::AbstractSyntaxNotSupported);
    };
    chosen
        .map(str::to_owned)
        .ok_or(Reason::TransferSyntaxesNotSupported)
}

/// What the provider says of itself, and the role that a peer may have who reports commitment (PS3.7, D.3.3).
fn user_variables(
    requested: &[UserVariableItem],
    options: &ListenerOptions,
) -> Vec<UserVariableItem> {
    let mut variables = vec![
        UserVariableItem::MaxLength(options.pdu_limit()),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.to_owned()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
    ];
    for variable in requested {
        let UserVariableItem::ScuScpRoleSelectionSubItem(class, roles) = variable else {
            continue;
        };
        let reports = options.commitment_reports && trimmed(class) == STORAGE_COMMITMENT;
        // A class whose roles are not answered has those of the standard: the requestor is its user.
        if reports {
            let roles = RequestorRoles {
                scu: false,
                scp: roles.scp,
            };
            let class = STORAGE_COMMITMENT.to_owned();
            variables.push(UserVariableItem::ScuScpRoleSelectionSubItem(class, roles));
            break;
        }
    }
    variables
}
