use jiff::civil::{Date, date};
use xccdf::Tailoring;

use super::*;
use crate::content::Catalogue;

const TODAY: Date = date(2027, 6, 30);

/// A tailoring with this inside its profile.
fn site(name: &str, extends: &str, inside: &str) -> Tailoring {
    let text = format!(
        "<Tailoring xmlns='http://checklists.nist.gov/xccdf/1.2' id='xccdf_x_tailoring_{name}'>
         <version time='2027-01-01T00:00:00Z'>1</version>
         <Profile id='xccdf_x_profile_{name}' {extends}><title>t</title>{inside}</Profile></Tailoring>"
    );
    parse_tailoring(&text, name).unwrap()
}

fn request(tier: Option<&str>, tailoring: Vec<Tailoring>) -> Request {
    Request { tier: tier.map(str::to_owned), tailoring, today: TODAY, ..Request::default() }
}

fn resolved(request: &Request) -> Policy {
    resolve(&Catalogue::embedded().unwrap(), request, "debian12").unwrap()
}

fn refused(request: &Request) -> String {
    format!("{:#}", resolve(&Catalogue::embedded().unwrap(), request, "debian12").unwrap_err())
}

fn rule<'a>(policy: &'a Policy, id: &str) -> &'a PolicyRule {
    policy.rules.iter().find(|rule| rule.id == id).unwrap()
}

const EXTENDS: &str = "extends='xccdf_org.ssgproject.content_profile_cis_level1_server'";

/// The exception for a rule, recorded until a day.
fn recorded(until: &str) -> String {
    format!(
        "<select idref='sshd_disable_root_login' selected='false'/>
         <metadata><exception xmlns='{RECORDS}' rule='sshd_disable_root_login' owner='ops' until='{until}'>
         backups </exception></metadata>"
    )
}

#[test]
fn an_exception_holds_to_its_last_day_and_not_longer() {
    for (until, expired) in [("2027-06-30", false), ("2027-06-29", true), ("2099-01-01", false)] {
        let policy = resolved(&request(None, vec![site("a", EXTENDS, &recorded(until))]));
        let rule = rule(&policy, "sshd_disable_root_login");
        let exception = rule.exception.as_ref().unwrap();
        assert_eq!((exception.reason.as_str(), exception.owner.as_str()), ("backups", "ops"));
        assert_eq!((exception.expired, rule.not_selected.is_none()), (expired, expired), "{until}");
    }
}

#[test]
fn numbers_are_whole_and_blanks_around_values_do_not_count() {
    let set = |content: &str| {
        let inside = format!("<set-value idref='var_accounts_tmout'>{content}</set-value>");
        request(None, vec![site("a", EXTENDS, &inside)])
    };
    let policy = resolved(&set("\n  600\n"));
    assert_eq!(rule(&policy, "accounts_tmout").values["var_accounts_tmout"], "600");
    for wrong in ["1.5", "+5", "5 5", "99999999999999999999999"] {
        let said = refused(&set(wrong));
        assert!(said.contains("a:3") && said.contains("var_accounts_tmout"), "{wrong}: {said}");
    }
}

#[test]
fn an_expired_value_is_the_tiers_again() {
    let with = |until: &str| {
        let inside = format!(
            "<set-value idref='sshd_max_auth_tries_value'>6</set-value>
             <metadata><exception xmlns='{RECORDS}' value='sshd_max_auth_tries_value' until='{until}'>x</exception></metadata>"
        );
        let policy = resolved(&request(Some("standard"), vec![site("a", "", &inside)]));
        let rule = rule(&policy, "sshd_set_max_auth_tries");
        (rule.values["sshd_max_auth_tries_value"].clone(), rule.exception.as_ref().unwrap().expired)
    };
    assert_eq!(with("2027-06-30"), ("6".to_owned(), false));
    assert_eq!(with("2027-06-29"), ("4".to_owned(), true));
}

#[test]
fn what_a_site_leaves_out_without_a_record_is_an_exception_too() {
    let inside = "<select idref='xccdf_org.ssgproject.content_rule_sshd_disable_root_login' selected='false'>
        <remark>backups</remark></select>
        <select idref='xccdf_org.ssgproject.content_group_cron_and_at' selected='false'/>
        <set-value idref='sshd_max_auth_tries_value'>3</set-value>";
    let policy = resolved(&request(None, vec![site("a", EXTENDS, inside)]));
    assert_eq!(policy.tier, "standard");
    for (id, selected, reason) in [
        ("sshd_disable_root_login", false, "backups"),
        ("file_permissions_crontab", false, ""),
        ("sshd_set_max_auth_tries", true, "sshd_max_auth_tries_value is 3, not 4"),
    ] {
        let rule = rule(&policy, id);
        assert_eq!(rule.not_selected.is_none(), selected, "{id}");
        assert_eq!(rule.exception.as_ref().unwrap().reason, reason, "{id}");
    }
    assert!(rule(&policy, "sshd_disable_empty_passwords").exception.is_none());
}

#[test]
fn files_apply_in_their_order_and_must_fit_the_tier() {
    let out = site("a", "extends='standard'", "<select idref='sshd_disable_root_login' selected='false'/>");
    let back = site("b", "extends='standard'", "<select idref='sshd_disable_root_login' selected='true'/>");
    let selected = |stack: Vec<Tailoring>| {
        let policy = resolved(&request(Some("standard"), stack));
        let rule = rule(&policy, "sshd_disable_root_login");
        (rule.not_selected.is_none(), rule.exception.is_some())
    };
    assert_eq!(selected(vec![out.clone(), back.clone()]), (true, false));
    assert_eq!(selected(vec![back, out.clone()]), (false, true));
    assert!(refused(&request(Some("strict"), vec![out])).contains("does not apply here"));
}

#[test]
fn lines_about_what_only_ssg_has_are_counted_unless_they_ask_for_it() {
    let select = |selected: bool| {
        format!(
            "<select idref='xccdf_org.ssgproject.content_rule_sshd_enable_gssapi_auth' selected='{selected}'/>"
        )
    };
    assert_eq!(resolved(&request(None, vec![site("a", EXTENDS, &select(false))])).ignored, 1);
    let said = refused(&request(None, vec![site("a", EXTENDS, &select(true))]));
    assert!(said.contains("the catalogue has no rule \"sshd_enable_gssapi_auth\""), "{said}");
}

#[test]
fn the_digest_tells_policies_apart_and_nothing_else() {
    let digest = |tier, stack| resolved(&request(Some(tier), stack)).sha256;
    let plain = digest("standard", vec![]);
    assert_eq!(plain, digest("standard", vec![site("a", "", "")]));
    assert_ne!(plain, digest("strict", vec![]));
    let until = |day| digest("standard", vec![site("a", "extends='standard'", &recorded(day))]);
    assert_ne!(plain, until("2099-01-01"));
    assert_ne!(until("2098-01-01"), until("2099-01-01"));
    let value = "<set-value idref='sshd_max_auth_tries_value'>3</set-value>";
    assert_ne!(plain, digest("standard", vec![site("a", "", value)]));
}

#[test]
fn a_tailoring_of_our_benchmark_names_whatever_file_that_was_in() {
    let of_file = |extends: &str| {
        let benchmark =
            Some(xccdf::BenchmarkRef { href: "file:///x/ours.xml".into(), id: None, version: None });
        Tailoring { benchmark, ..site("a", &format!("extends='{extends}'"), "") }
    };
    let ours = of_file("xccdf_trempe_profile_strict_debian12");
    assert_eq!(resolved(&request(None, vec![ours])).tier, "strict");
    for other in ["strict", "xccdf_org.ssgproject.content_profile_cis_level2_server"] {
        assert!(refused(&request(None, vec![of_file(other)])).contains("written for another benchmark"));
    }
}

#[test]
fn targets_of_tailorings() {
    let target = |href: &str, id: Option<&str>| {
        let (href, id) = (href.to_owned(), id.map(str::to_owned));
        Target::of(&xccdf::BenchmarkRef { href, id, version: None })
    };
    let ssg = |product: &str| Target::Ssg(product.to_owned());
    assert_eq!(target("file:///usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml", None), ssg("debian12"));
    assert_eq!(target("ssg-rhel9-ds-1.2.xml", None), ssg("rhel9"));
    assert_eq!(target("x.xml", Some("xccdf_org.ssgproject.content_benchmark_DEBIAN-13")), ssg("debian13"));
    assert_eq!(target("x.xml", Some("xccdf_trempe_benchmark_catalogue")), Target::Catalogue);
    assert_eq!(target("catalogue", None), Target::Catalogue);
    assert_eq!(target("ssg-guide.html", None), Target::Other("ssg-guide.html".to_owned()));
}
