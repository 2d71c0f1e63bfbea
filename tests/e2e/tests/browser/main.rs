//! Tests shoppers in a real browser, from the shop to the bank and back. The tests share a sandbox and a Chromium.
#![allow(clippy::indexing_slicing)]

mod chromium;
mod clarification;
mod devtools;
mod outcomes;
mod payment_page;
mod purchase;
mod redirect;
mod screenshots;
mod setup;
mod tab;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use self::setup::Setup;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Chromium slows down tabs in the background, so only one test runs at a time.
    arguments.test_threads = Some(1);
    let Ok(runtime) = Runtime::new().map(Arc::new) else {
        return ExitCode::FAILURE;
    };
    let setup: Arc<OnceCell<Setup>> = Arc::default();
    macro_rules! trials {
        ($($module:ident :: $test:ident),* $(,)?) => {
            vec![$({
                let (runtime, setup) = (Arc::clone(&runtime), Arc::clone(&setup));
                Trial::ignorable_test(stringify!($test), move || {
                    chromium::with(|program| runtime.block_on(async {
                        let setup = setup.get_or_try_init(|| Setup::start(program)).await?;
                        $module::$test(setup).await
                    }))
                })
            }),*]
        };
    }
    let tests = trials![
        purchase::an_order_is_paid_shipped_and_refunded_by_clicks,
        purchase::a_declined_payment_is_not_shipped,
        purchase::a_shopper_who_leaves_the_bank_page_can_return_and_pay,
        purchase::a_checkout_in_two_tabs_is_paid_once,
        purchase::the_bank_page_has_no_qr_code_from_500_euros_on,
        purchase::only_pages_of_the_shop_can_read_the_checkout_status,
        redirect::a_redirect_by_post_reaches_the_bank_on_a_second_origin,
        redirect::a_shopper_without_scripts_reaches_the_bank_with_buttons,
        redirect::the_waiting_page_redirects_when_the_redirect_url_arrives,
        redirect::the_shop_shows_a_result_that_arrives_late,
        clarification::the_form_is_shown_again_until_the_last_name_is_valid,
        clarification::the_form_is_shown_again_when_the_platform_did_not_receive_the_data,
        payment_page::a_payment_from_the_payment_page_succeeds,
        payment_page::a_payment_from_the_payment_page_is_declined,
        outcomes::a_confirmed_payment_is_shown_as_succeeded,
        outcomes::a_payment_whose_confirmation_is_declined_is_shown_as_declined,
        outcomes::a_payment_is_shown_as_succeeded_when_its_refund_is_returned,
        outcomes::a_payment_made_after_the_checkout_expired_is_shown_as_succeeded,
    ];
    let conclusion = libtest_mimic::run(&arguments, tests);
    if let Some(setup) = Arc::into_inner(setup).and_then(OnceCell::into_inner) {
        runtime.block_on(setup.stop());
    }
    conclusion.exit_code()
}
